import { type Abortable, HoldfastError, isHoldfastError } from '@holdfast/base';
import type { LockId } from '../format/ids.ts';
import { decodeLockFile, type LockFile } from '../format/lock-file.ts';
import { formatTimestamp } from '../format/timestamp.ts';
import type { Runtime } from './runtime.ts';
import type { SealedFiles } from './sealed-files.ts';

const minuteMs = 60_000;

/** A lock that was not refreshed for this long has no holder any more. */
export const staleAfterMs = 30 * minuteMs;

export type LockKind = 'shared' | 'exclusive';

/** What stands in the way of a lock: `lock` is undefined if the file cannot be read. */
export interface LockConflict {
  readonly id: LockId;
  readonly lock: LockFile | undefined;
}

export interface LockDirectory {
  readonly files: SealedFiles;
  readonly runtime: Runtime;
}

/**
 * Looks through all locks but `ownId`, and removes those whose holder is proven gone. Undefined if none of the rest
 * forbids a lock of this kind. A lock that cannot be read may be anything: it forbids both kinds.
 */
export async function findLockConflict(
  directory: LockDirectory,
  kind: LockKind,
  { ownId, signal }: Abortable & { readonly ownId?: LockId | undefined } = {},
): Promise<LockConflict | undefined> {
  for (const { id, sizeBytes } of await directory.files.list('lock', { signal })) {
    // An empty file is what a storage without atomic writes keeps of a lock that was never written.
    if (id === ownId || sizeBytes === 0) continue;
    const found = await readLock(directory, id, { signal });
    if (found === 'gone') continue;
    if (found !== 'unreadable' && isStale(found, directory.runtime)) {
      await directory.files.remove('lock', id, { signal });
      continue;
    }
    if (found === 'unreadable') return { id, lock: undefined };
    if (kind === 'exclusive' || found.exclusive) return { id, lock: found };
  }
  return undefined;
}

/** Removes locks whose holder is proven gone or, with `all`, every lock. Returns how many. */
export async function removeLocks(
  directory: LockDirectory,
  { all, signal }: Abortable & { readonly all: boolean },
): Promise<number> {
  let removed = 0;
  for (const { id } of await directory.files.list('lock', { signal })) {
    const found = await readLock(directory, id, { signal });
    const isDispensable = typeof found === 'object' && isStale(found, directory.runtime);
    if ((all || isDispensable) && (await directory.files.remove('lock', id, { signal }))) removed += 1;
  }
  return removed;
}

export function lockedError({ id, lock }: LockConflict, nowMs: number): HoldfastError {
  if (lock === undefined) {
    return new HoldfastError('repository-locked', `The repository has a lock that cannot be read: ${id}.`, {
      hint: 'If nothing else uses the repository, remove all locks with `restic unlock --remove-all`.',
      context: { lockId: id },
    });
  }
  const since = formatTimestamp(lock.time);
  const ageMinutes = Math.max(0, Math.round((nowMs - Number(lock.time.epochNs / 1_000_000n)) / minuteMs));
  const kind = lock.exclusive ? 'exclusively ' : '';
  return new HoldfastError(
    'repository-locked',
    `The repository is ${kind}locked by process ${lock.pid} of ${lock.username} on ${lock.hostname}.`,
    {
      hint: `Wait for it to end. The lock was last refreshed ${ageMinutes} min ago and expires 30 min after that.`,
      context: { lockId: id, hostname: lock.hostname, username: lock.username, pid: lock.pid, since },
      retry: true,
    },
  );
}

async function readLock(
  { files }: LockDirectory,
  id: LockId,
  options: Abortable,
): Promise<LockFile | 'gone' | 'unreadable'> {
  try {
    const document = await files.load('lock', id, options);
    return document === undefined ? 'gone' : decodeLockFile(document);
  } catch (error) {
    if (isHoldfastError(error, 'repository-damaged')) return 'unreadable';
    throw error;
  }
}

function isStale(lock: LockFile, { clock, identity, isProcessAlive }: Runtime): boolean {
  const ageMs = clock.now() - Number(lock.time.epochNs / 1_000_000n);
  if (ageMs > staleAfterMs) return true;
  return lock.hostname === (identity.lockHostname ?? identity.hostname) && !isProcessAlive(lock.pid);
}
