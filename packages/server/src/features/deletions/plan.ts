import type { DeletionPlan } from '@holdfast/protocol';
import type { LeftBackup } from './store.ts';

type PlannedBackups = Pick<
  DeletionPlan,
  'backups' | 'bytes' | 'oldestAtMs' | 'newestAtMs' | 'pinned' | 'newestGood'
>;

/** As many commands as somebody would follow. */
const shownGood = 5;

/** @param backups newest first */
export function planOf(backups: readonly LeftBackup[]): PlannedBackups {
  const going = backups.filter(({ pinReason }) => pinReason === null);
  const times = going.map(({ createdAtMs }) => createdAtMs);
  return {
    backups: going.length,
    bytes: going.reduce((sum, { bytes }) => sum + bytes, 0),
    oldestAtMs: times.length === 0 ? null : Math.min(...times),
    newestAtMs: times.length === 0 ? null : Math.max(...times),
    pinned: backups.flatMap(({ id, createdAtMs, pinReason }) =>
      pinReason === null ? [] : [{ id, createdAtMs, pinReason }],
    ),
    newestGood: newestGood(backups),
  };
}

/** Down to the first that has all components, each that has one which no newer one has. */
function newestGood(backups: readonly LeftBackup[]): DeletionPlan['newestGood'] {
  const own = backups.filter(
    ({ status, isDoubtful, kind }) =>
      status === 'ready' && !isDoubtful && (kind === 'manual' || kind === 'automated'),
  );
  // Where there is nothing better, what is whole is offered.
  const good = own.length > 0 ? own : backups.filter(({ status }) => status === 'ready');
  const covered = new Set<string>();
  const chosen: LeftBackup[] = [];
  for (const backup of good) {
    const isFirst = chosen.length === 0;
    if (!isFirst && backup.components.every((name) => covered.has(name))) continue;
    for (const name of backup.components) covered.add(name);
    chosen.push(backup);
  }
  return chosen.slice(0, shownGood).map(({ id, createdAtMs, components }) => {
    return { id, createdAtMs, components: [...components] };
  });
}
