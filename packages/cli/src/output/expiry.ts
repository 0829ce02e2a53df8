import type { BackupExpiry } from '@holdfast/protocol';
import { formatMinute } from './quantities.ts';

/** For a column: a date, or `after the next 2`. */
export function shortExpiry({ atMs, afterNext, removedBy }: BackupExpiry): string {
  if (removedBy !== null) return 'now';
  if (atMs !== null) return formatMinute(atMs);
  if (afterNext === null) return 'never';
  return `after the next ${afterNext === 1 ? 'one' : afterNext}`;
}

/** What keeps it, or why it goes. */
export function ruleOf({ keptBy, removedBy }: BackupExpiry): string {
  return removedBy ?? keptBy.join(', ');
}

/** For a sentence: `2026-12-01 02:00`, `replaced after the next 2 manual backups`, `never`, and by which rule. */
export function longExpiry(expiry: BackupExpiry): string {
  const { atMs, text, keptBy, removedBy } = expiry;
  if (removedBy !== null) return `now: ${removedBy}`;
  const end = atMs === null ? (text ?? 'never') : formatMinute(atMs);
  return keptBy.length === 0 ? end : `${end} (kept: ${keptBy.join(', ')})`;
}
