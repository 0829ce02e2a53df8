import { randomInt } from 'node:crypto';
import type { Abortable } from '@holdfast/base';
import {
  findLockConflict,
  type LockConflict,
  type LockDirectory,
  type LockKind,
  lockedError,
} from './lock-conflict.ts';
import { HeldLock, type RepositoryLock } from './repository-lock.ts';

/** Two that lock at once both write their file first, and then both look: after this both see each other's. */
const settleMs = 200;
const firstRetryMs = 1_000;
const longestRetryMs = 15_000;

export interface LockOptions extends Abortable {
  /** How long to wait for locks that stand in the way; 0 by default. */
  readonly waitMs?: number | undefined;
  /** Called once, when waiting begins. */
  readonly onWait?: ((conflict: LockConflict) => void) | undefined;
}

/**
 * Takes a lock. Any number may hold shared ones at a time, or one an exclusive one.
 * @throws HoldfastError `repository-locked`, naming the holder, when another lock stood in the way to the end
 */
export async function acquireLock(
  directory: LockDirectory,
  kind: LockKind,
  { waitMs = 0, onWait, signal }: LockOptions = {},
): Promise<RepositoryLock> {
  const { clock, sleep } = directory.runtime;
  const deadlineMs = clock.elapsed() + waitMs;
  for (let retryMs = firstRetryMs; ; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
    const outcome = await tryToLock(directory, kind, { signal });
    if (outcome instanceof HeldLock) return outcome;
    const remainingMs = deadlineMs - clock.elapsed();
    if (remainingMs <= 0) throw lockedError(outcome, clock.now());
    if (retryMs === firstRetryMs) onWait?.(outcome);
    // Two that withdrew for each other must not meet again.
    await sleep(Math.min(remainingMs, retryMs + randomInt(retryMs)), { signal });
  }
}

async function tryToLock(
  directory: LockDirectory,
  kind: LockKind,
  { signal }: Abortable,
): Promise<HeldLock | LockConflict> {
  const before = await findLockConflict(directory, kind, { signal });
  if (before !== undefined) return before;
  const lock = new HeldLock(directory, kind);
  try {
    await lock.write(signal);
    await directory.runtime.sleep(settleMs, { signal });
    const after = await findLockConflict(directory, kind, { ownId: lock.id, signal });
    if (after === undefined) {
      lock.startRefreshing();
      return lock;
    }
    await lock.release();
    return after;
  } catch (error) {
    await lock.release();
    throw error;
  }
}
