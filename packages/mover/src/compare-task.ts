import { basename } from 'node:path';
import { asId, compareTarget, type DifferentEntry, openToRead, type TreeId } from '@holdfast/engine';
import type { CompareTask } from '@holdfast/protocol';
import { sum } from './phase-progress.ts';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

/** As many of the entries that differ are named in the log, of each part. */
const namedEntries = 50;

const marks: Readonly<Record<DifferentEntry['change'], string>> = { made: '+', replaced: '~', removed: '-' };

/** Notes what a restore would change. */
export async function runCompareTask(task: CompareTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  await using locked = await openToRead(task.repository, waitingForLock(context));
  const { repository, signal } = locked;
  const comparing = context.phase('compare');
  comparing.expect(sum(...task.parts));
  for (const { name, treeId, path, nodePath, only, kept } of task.parts) {
    const named: string[] = [];
    let count = 0;
    const { files, bytes, removed } = await compareTarget({
      blobs: repository.blobs,
      treeId: asId<TreeId>(treeId),
      nodePath,
      targetPath: path,
      only: only ?? undefined,
      kept,
      progress: comparing.part(name),
      onDifference: ({ change, path: entry, isDirectory }) => {
        count += 1;
        const relative = entry === path ? basename(path) : entry.slice(path.length + 1);
        if (named.length < namedEntries) named.push(`${marks[change]} ${relative}${isDirectory ? '/' : ''}`);
      },
      signal,
    });
    const mebibytes = (bytes / 2 ** 20).toFixed(1);
    context.info(`${name}: ${files} files would be restored, ${mebibytes} MiB; ${removed} would be removed`);
    for (const line of named.sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1))) context.info(`  ${line}`);
    if (count > named.length) context.info(`  and ${count - named.length} more`);
  }
}
