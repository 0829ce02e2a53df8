import type { LockWaiting } from '@holdfast/engine';
import type { TaskContext } from './task-context.ts';

/** A prune of a large repository takes its time, and nothing that was asked for fails because of it. */
const lockWaitMs = 3_600_000;

/** How a task waits for a lock that stands in its way: long, and it says for whom. */
export function waitingForLock(context: TaskContext): LockWaiting {
  return {
    signal: context.signal,
    waitMs: lockWaitMs,
    onWait: ({ lock }) => {
      const holder =
        lock === undefined ? 'a lock that cannot be read' : `process ${lock.pid} on ${lock.hostname}`;
      const what = lock?.exclusive === true ? 'which cleans it up' : 'which works in it';
      context.info(`The repository is locked by ${holder}, ${what}: waiting for it, an hour at most`);
    },
  };
}
