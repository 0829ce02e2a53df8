import { readFileSync } from 'node:fs';
import { HoldfastError, systemErrorCode } from './holdfast-error.ts';

/** Names one process of this machine for good: a pid alone is given out again, and a boot starts the clock ticks anew. */
export interface ProcessIdentity {
  readonly pid: number;
  /** `/proc/sys/kernel/random/boot_id` */
  readonly bootId: string;
  /** Field 22 of `/proc/<pid>/stat`, in clock ticks since boot. */
  readonly startTicks: string;
}

/** @throws HoldfastError `system-unsupported` where `/proc` is not as Linux provides it */
export function ownProcessIdentity(): ProcessIdentity {
  const stat = readStat(process.pid);
  if (stat === undefined) {
    throw new HoldfastError('system-unsupported', 'The start time of this process is not in /proc.', {
      hint: 'Mount /proc as Linux provides it.',
    });
  }
  return { pid: process.pid, bootId: bootId(), startTicks: stat.startTicks };
}

/**
 * Whether this very process still runs on this machine. One that has ended but was not waited for by its parent
 * counts as ended: it does nothing any more.
 */
export function isSameProcess(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  const stat = readStat(identity.pid);
  return stat !== undefined && stat.startTicks === identity.startTicks && !stat.hasEnded;
}

/** True for a process that has ended but was not waited for by its parent: its pid is taken, and it does nothing any more. */
export function isZombie(pid: number): boolean {
  return readStat(pid)?.hasEnded === true;
}

interface ProcessStat {
  readonly startTicks: string;
  readonly hasEnded: boolean;
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
    const fieldsFromThird = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fieldsFromThird[0] ?? '';
    const startTicks = fieldsFromThird[22 - 3];
    return startTicks === undefined ? undefined : { startTicks, hasEnded: state === 'Z' || state === 'X' };
  } catch (error) {
    const code = systemErrorCode(error);
    // ESRCH: it ended between opening and reading.
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
