import { type ExitStatus, exitStatus } from '@holdfast/base';
import { byteStringToText, walkTree } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { nodeJson, nodeLine } from './node-text.ts';
import { lockForReading, openGivenRepository } from './open-given-repository.ts';
import type { ReadingRepositoryOptions } from './repository-options.ts';
import { snapshotJson } from './snapshot-json.ts';
import { findTree } from './snapshot-reference.ts';
import { type SnapshotSelection, selectionOf } from './snapshot-selection.ts';

export interface LsOptions extends ReadingRepositoryOptions, SnapshotSelection {
  readonly long?: boolean;
}

/** Prints as it reads: one tree a level is in memory. */
export async function listFiles(
  context: CliContext,
  reference: string,
  options: LsOptions,
): Promise<ExitStatus> {
  const { output, interrupts } = context;
  const { signal } = interrupts;
  const repository = await openGivenRepository(context, options);
  await using _lock = await lockForReading(context, repository, options);
  await repository.refreshIndex({ signal });
  const selection = selectionOf(context, options);
  const { snapshot, treeId, path } = await findTree(repository, reference, { selection, signal });
  if (options.json === true) {
    output.line(JSON.stringify({ message_type: 'snapshot', ...snapshotJson(snapshot) }));
  }
  const top = path.map((name) => `/${name}`).join('');
  for await (const { path: below, node } of walkTree({ blobs: repository.blobs, treeId, signal })) {
    if (output.isClosed) break;
    const entry = { path: top + byteStringToText(below), node };
    if (options.json === true) output.line(JSON.stringify(nodeJson(entry)));
    else output.line(options.long === true ? nodeLine(entry) : entry.path);
  }
  return exitStatus.done;
}
