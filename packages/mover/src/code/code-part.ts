import { lstat, mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Abortable, HoldfastError, isHoldfastError, systemErrorCode } from '@holdfast/base';
import {
  type BackupSource,
  type BlobReader,
  findNode,
  readFileContent,
  type ScanSummary,
  scanSources,
  type TreeId,
  toByteString,
  type WithSignal,
} from '@holdfast/engine';
import type { BackupTask } from '@holdfast/protocol';
import type { PartSpec, SavedPart } from '../capture/part.ts';
import type { TaskContext } from '../task-context.ts';
import { commitIdIn, type ReadText } from './commit-id.ts';

type CodeTask = NonNullable<BackupTask['code']>;
type Folder = NonNullable<CodeTask['folder']>;
type Contents = Pick<PartSpec, 'sources' | 'excludes'> & { readonly isWhole: boolean };

/** What stands in the part's `data`. */
const modelName = 'model.json';
const projectName = 'project';

/**
 * The part of code and configuration, if there is to be one: `data/model.json`, and the project's folder as `data/project`.
 * The model is written to the task's own folder, as a file like all others.
 */
export async function codeParts(
  { code, scratchPath }: Pick<BackupTask, 'code' | 'scratchPath'>,
  context: TaskContext,
): Promise<readonly PartSpec[]> {
  if (code === null) return [];
  const { name, folder, parentSnapshotId } = code;
  const top = join(scratchPath, 'code');
  const model = await writeModel(top, code);
  const { sources, excludes, isWhole } =
    folder === null
      ? { sources: [], excludes: [], isWhole: false }
      : await chooseContents(folder, top, context);
  return [
    {
      name,
      source: { kind: 'code', commitId: null, isWhole },
      mountPoints: [],
      parentSnapshotId,
      mustNotBeEmpty: false,
      excludes,
      sources: [model, ...sources],
    },
  ];
}

/** How much of a folder would be kept, as far as its limits. */
export async function scanFolder(
  folder: Folder | null | undefined,
  options: WithSignal,
): Promise<ScanSummary> {
  if (folder?.whole == null) return { files: 0, dirs: 0, bytes: 0 };
  const { path, whole } = folder;
  const excludes = excludesOf(folder);
  const sources = [{ path, treePath: [projectName] as const }];
  return await scanSources({ sources, excludes, leftByRestores: true, enough: whole.limits, ...options });
}

/**
 * A part as it is, but code with the commit that is checked out in what was saved of its folder: of the same moment as
 * that, and without another look at the folder itself. All of it has to be flushed before.
 */
export async function withCommitId(
  part: SavedPart,
  { code }: Pick<BackupTask, 'code'>,
  { repository, signal }: { readonly repository: { readonly blobs: BlobReader } } & WithSignal,
): Promise<SavedPart> {
  const { source } = part.spec;
  if (source.kind !== 'code') return part;
  const read = textsOf(repository.blobs, part.result.treeId, { signal });
  const commitId = await commitIdIn(read, code?.folder?.nodePaths ?? []);
  return { ...part, spec: { ...part.spec, source: { ...source, commitId } } };
}

/** Always with the same time: what it says changes, not when it was asked. */
async function writeModel(top: string, { model }: CodeTask): Promise<BackupSource> {
  const path = join(top, modelName);
  await mkdir(top, { mode: 0o700 });
  await writeFile(path, model, { mode: 0o600 });
  await utimes(path, 0, 0);
  await utimes(top, 0, 0);
  return { path, treePath: ['data', modelName] };
}

async function chooseContents(folder: Folder, top: string, context: TaskContext): Promise<Contents> {
  const { path, whole, files } = folder;
  if (whole !== null) {
    const { entries, bytes } = whole.limits;
    const found = await scanFolder(folder, context);
    if (found.files + found.dirs <= entries && found.bytes <= bytes) {
      const project: BackupSource = { path, treePath: ['data', projectName], parentPaths: [top] };
      return { sources: [project], excludes: excludesOf(folder), isWhole: true };
    }
    if (whole.isRequired) throw tooLarge(folder, whole.limits);
    context.warn(
      `The project's folder is not in the backup, only its Compose files are: it has more than ${entries} entries, or more than ${bytes} bytes`,
    );
  }
  const present: string[] = [];
  for (const name of files) if (await isFile(join(path, name))) present.push(name);
  const sources = present.map(
    (name): BackupSource => ({
      path: join(path, name),
      treePath: ['data', projectName, name],
      parentPaths: [top, path],
    }),
  );
  return { sources, excludes: [], isWhole: false };
}

function tooLarge(
  { path: seen, nodePaths: [path = seen] }: Folder,
  { entries, bytes }: NonNullable<Folder['whole']>['limits'],
) {
  return new HoldfastError(
    'code-refused',
    `The project's folder ${path} has more than ${entries} entries, or more than ${bytes} bytes.`,
    { hint: 'To leave it as it is, restore the data alone: --no-code.', context: { path, entries, bytes } },
  );
}

/** Each path as a pattern that matches it alone, and what is below it. */
function excludesOf({ path, whole }: Folder): string[] {
  return (whole?.leftOut ?? []).map((name) => join(path, name).replaceAll(/[\\[\]*?]/g, '\\$&'));
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}

/** Reads files of the project's folder as they were saved. */
function textsOf(blobs: BlobReader, treeId: TreeId, options: Abortable): ReadText {
  const top = ['data', projectName].map(toByteString);
  return async (names, mostBytes) => {
    try {
      const [first, ...rest] = [...top, ...names.map(toByteString)];
      if (first === undefined) return undefined;
      const node = await findNode(blobs, treeId, [first, ...rest], options);
      if (node.type !== 'file' || node.size > mostBytes) return undefined;
      return Buffer.concat(await Array.fromAsync(readFileContent({ blobs, node, ...options }))).toString();
    } catch (error) {
      if (isHoldfastError(error, 'path-unknown')) return undefined;
      throw error;
    }
  };
}
