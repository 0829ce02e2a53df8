import { HoldfastError } from '@holdfast/base';
import {
  type ArchiveFormat,
  componentsOfPart,
  type DataRequest,
  isOneFile,
  type SealedPart,
} from '@holdfast/protocol';
import type { RepositoryService } from '../repositories/service.ts';
import type { BackupWithParts } from './backup-record.ts';
import { requireReady } from './check-request.ts';

export interface DownloadRequest {
  /** Undefined: all. */
  readonly components: readonly string[] | undefined;
  /** Undefined: no single one. */
  readonly part: string | undefined;
  /** Within the part. */
  readonly path: string | undefined;
  readonly format: ArchiveFormat;
}

export interface ListFilesRequest {
  readonly part: string;
  readonly path: string | undefined;
  readonly after: string | undefined;
  readonly limit: number;
}

type Repositories = Pick<RepositoryService, 'access'>;

/**
 * What of a backup the data process is to send.
 * @throws HoldfastError `backup-not-ready`, `component-unknown`, `path-unknown`, `usage-invalid`, and what the vault throws
 */
export async function downloadOf(
  backup: BackupWithParts,
  { components, part, path, format }: DownloadRequest,
  repositories: Repositories,
): Promise<DataRequest> {
  requireReady(backup);
  const repository = await accessTo(backup, repositories);
  if (part !== undefined) {
    if (components !== undefined) throw partAndComponents();
    const { treeId } = partOf(backup, part);
    return { kind: 'content', repository, format, treeId, path: namesIn(path) };
  }
  if (path !== undefined) throw pathWithoutPart();
  const parts = partsOf(backup, components);
  const paths = archivePaths(parts);
  return {
    kind: 'archive',
    repository,
    format,
    fileName: `${backup.environmentName}-${dayOf(backup.createdAtMs)}-${backup.id}`,
    manifest: manifestOf(backup, parts, paths),
    parts: parts.map(({ treeId }, position) => ({ treeId, path: paths[position] ?? '' })),
  };
}

/** @throws HoldfastError as `downloadOf` */
export async function listFilesOf(
  backup: BackupWithParts,
  { part, path, after, limit }: ListFilesRequest,
  repositories: Repositories,
): Promise<DataRequest> {
  requireReady(backup);
  const { treeId } = partOf(backup, part);
  const repository = await accessTo(backup, repositories);
  return { kind: 'list', repository, treeId, path: namesIn(path), after: after ?? null, limit };
}

/**
 * What the data process is to compare: the parts of both, by their names.
 * @throws HoldfastError `backup-not-ready`, `usage-invalid` for backups of different environments, and what the vault throws
 */
export async function diffOf(
  [older, newer]: readonly [BackupWithParts, BackupWithParts],
  limit: number,
  repositories: Repositories,
): Promise<DataRequest> {
  requireReady(older);
  requireReady(newer);
  if (older.repositoryId !== newer.repositoryId) {
    throw new HoldfastError('usage-invalid', 'Backups of different environments have nothing in common.', {
      hint: 'holdfast backup:list -e ENVIRONMENT shows those of one.',
    });
  }
  const all = new Map([...older.parts, ...newer.parts].map(({ name, source }) => [name, source]));
  const treeIn = ({ parts }: BackupWithParts, name: string): string | null =>
    parts.find((part) => part.name === name)?.treeId ?? null;
  const parts = [...all].map(([name, source]) => ({
    name,
    isOneFile: isOneFile(source),
    oldTreeId: treeIn(older, name),
    newTreeId: treeIn(newer, name),
  }));
  return { kind: 'diff', repository: await accessTo(older, repositories), parts, limit };
}

async function accessTo(
  { repositoryId }: BackupWithParts,
  repositories: Repositories,
): Promise<DataRequest['repository']> {
  return (await repositories.access(repositoryId)).repository;
}

/** @throws HoldfastError `path-unknown` */
export function partOf({ id, parts }: BackupWithParts, name: string): SealedPart {
  const part = parts.find((each) => each.name === name);
  if (part !== undefined) return part;
  throw new HoldfastError('path-unknown', `The backup ${id} has no part ${name}.`, {
    hint: `It has: ${parts.map((each) => each.name).join(', ')}.`,
    context: { backupId: id, part: name },
  });
}

function partsOf(
  { id, parts }: BackupWithParts,
  components: readonly string[] | undefined,
): readonly SealedPart[] {
  if (components === undefined) return parts;
  const known = new Set(parts.flatMap(componentsOfPart));
  const missing = components.find((component) => !known.has(component));
  if (missing !== undefined) {
    throw new HoldfastError('component-unknown', `The backup ${id} has nothing of a component ${missing}.`, {
      hint: `It has: ${[...known].sort().join(', ')}.`,
      context: { component: missing, known: [...known].sort() },
    });
  }
  return parts.filter((part) => componentsOfPart(part).some((component) => components.includes(component)));
}

/** A path in the archive for each part, by its name; none twice. */
function archivePaths(parts: readonly SealedPart[]): readonly string[] {
  const taken = new Set<string>();
  return parts.map(({ name }) => {
    const plain = name
      .replace(/^\.\//, '')
      .replaceAll(/[^\w.-]+/g, '_')
      .replace(/^\.+/, '_');
    let path = `parts/${plain}`;
    for (let count = 2; taken.has(path.toLowerCase()); count += 1) path = `parts/${plain}-${count}`;
    taken.add(path.toLowerCase());
    return path;
  });
}

/** What the archive says of itself: enough to make a backup of it again. */
function manifestOf(
  { id, kind, mode, description, environmentName, createdAtMs, finishedAtMs, capture }: BackupWithParts,
  parts: readonly SealedPart[],
  paths: readonly string[],
): Record<string, unknown> {
  return {
    version: 1,
    backup: { id, kind, mode, description, environmentName, createdAtMs, finishedAtMs, capture },
    parts: parts.map(({ name, source, mountPoints, files, bytes }, position) => ({
      ...{ name, path: paths[position], source, mountPoints, files, bytes },
    })),
  };
}

/** @throws HoldfastError `usage-invalid` */
export function namesIn(path: string | undefined): string[] {
  const names = (path ?? '').split('/').filter((name) => name !== '' && name !== '.');
  if (!names.includes('..')) return names;
  throw new HoldfastError('usage-invalid', 'A path in a backup goes only down.', {
    hint: 'Write it from the top of the part, without "..".',
  });
}

function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

function partAndComponents(): HoldfastError {
  return new HoldfastError('usage-invalid', 'Name components, or one part: not both.', {
    hint: 'A part is of all components that mount it.',
  });
}

function pathWithoutPart(): HoldfastError {
  return new HoldfastError('usage-invalid', 'A path is within a part, and none is named.', {
    hint: 'backup:get lists the parts of a backup.',
  });
}
