import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import {
  type ByteString,
  entriesBeneath,
  findNode,
  type Node,
  type Repository,
  type TreeId,
  toByteString,
  writeContent,
  writeTar,
} from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { writeWholeFile } from '../output/whole-file.ts';
import { lockForReading, openGivenRepository } from './open-given-repository.ts';
import type { ReadingRepositoryOptions } from './repository-options.ts';
import { findTree } from './snapshot-reference.ts';
import { type SnapshotSelection, selectionOf } from './snapshot-selection.ts';

export interface DumpOptions extends ReadingRepositoryOptions, SnapshotSelection {
  readonly target?: string;
}

export interface DumpedPath {
  readonly reference: string;
  readonly path: string;
}

/** A file as it is; a directory as a tar archive of what is in it, by its path from the top. */
export async function dumpSnapshot(
  context: CliContext,
  { reference, path }: DumpedPath,
  options: DumpOptions,
): Promise<ExitStatus> {
  const { signal } = context.interrupts;
  const repository = await openGivenRepository(context, options);
  await using _lock = await lockForReading(context, repository, options);
  await repository.refreshIndex({ signal });
  const selection = selectionOf(context, options);
  const { treeId } = await findTree(repository, reference, { selection, signal });
  const found = await findDumped(repository, treeId, { path, signal });
  const write = async (output: Writable): Promise<void> => {
    const { blobs } = repository;
    if ('node' in found) await writeContent({ blobs, node: found.node, output, signal });
    else await writeTar({ blobs, members: entriesBeneath({ blobs, ...found, signal }), output, signal });
  };
  if (options.target !== undefined) {
    await writeWholeFile(resolve(context.folder, options.target), write);
    return exitStatus.done;
  }
  if ('treeId' in found && context.output.isTerminal) throw archiveOnTerminal();
  try {
    await write(context.output.stream);
  } catch (error) {
    // Whoever read it has enough.
    if (!context.output.isClosed) throw error;
  }
  return exitStatus.done;
}

type Dumped = { readonly node: Node } | { readonly treeId: TreeId; readonly prefix: ByteString };

/** @throws HoldfastError `path-unknown`; `usage-invalid` for what is neither file nor directory */
async function findDumped(
  { blobs }: Repository,
  treeId: TreeId,
  { path, signal }: { readonly path: string; readonly signal: AbortSignal },
): Promise<Dumped> {
  const [top, ...rest] = path.split('/').filter((name) => name !== '' && name !== '.');
  if (top === undefined) return { treeId, prefix: toByteString('') };
  const names = [toByteString(top), ...rest.map(toByteString)] as const;
  const node = await findNode(blobs, treeId, names, { signal });
  if (node.subtree !== undefined)
    return { treeId: node.subtree, prefix: `/${names.join('/')}` as ByteString };
  if (node.type === 'file') return { node };
  throw new HoldfastError('usage-invalid', `${path} is neither a file nor a directory in the snapshot.`, {
    hint: 'Name the directory that it is in.',
  });
}

function archiveOnTerminal(): HoldfastError {
  return new HoldfastError(
    'usage-invalid',
    'A directory is written as a tar archive, which is nothing for a terminal.',
    {
      hint: 'Send it to a file (--target app.tar) or to another program (| tar -x).',
    },
  );
}
