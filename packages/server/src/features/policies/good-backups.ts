import type { RetainedBackup } from './verdict.ts';

/**
 * Whether a backup counts: it is ready, all that was there before is in it, and it is of the environment itself. What is
 * imported may be anything, and a safety backup is of a state that somebody wanted to be rid of.
 */
export function isGood({ kind, status, isDoubtful }: RetainedBackup): boolean {
  return status === 'ready' && !isDoubtful && (kind === 'manual' || kind === 'automated');
}

/** Whether it is good, and no pin takes it out of every count. */
export function isCounted(backup: RetainedBackup): boolean {
  return isGood(backup) && !backup.isPinned;
}

/**
 * The backups that no rule removes: the newest good one and the newest good one of all components, both among
 * the environment's own and with imported ones.
 *
 * @param backups in the order in which they were made
 */
export function lastGood(backups: readonly RetainedBackup[]): ReadonlySet<RetainedBackup> {
  const isImported = ({ kind, status, isDoubtful }: RetainedBackup): boolean =>
    kind === 'imported' && status === 'ready' && !isDoubtful;
  const last = [
    backups.findLast((backup) => isGood(backup)),
    backups.findLast((backup) => isGood(backup) && backup.isWhole),
    backups.findLast((backup) => isGood(backup) || isImported(backup)),
    backups.findLast((backup) => (isGood(backup) || isImported(backup)) && backup.isWhole),
  ];
  return new Set(last.filter((backup) => backup !== undefined));
}
