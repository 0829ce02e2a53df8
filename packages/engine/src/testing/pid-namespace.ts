import { readlinkSync } from 'node:fs';

/** Whether pids are the machine's own. Elsewhere stock restic does not take locks of ours for stale before 30 minutes. */
export const isInFirstPidNamespace = readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]';

/** Arguments of stock restic that remove locks which killed processes of ours have left. */
export const unlockAfterKill: readonly string[] = isInFirstPidNamespace
  ? ['unlock']
  : ['unlock', '--remove-all'];
