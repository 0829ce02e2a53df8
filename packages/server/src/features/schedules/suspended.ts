import { deletionOf } from '../environments/deletion.ts';
import type { EnvironmentRecord } from '../environments/environment-record.ts';
import type { RetainedBackup, Verdict } from '../policies/verdict.ts';

/**
 * What is said of backups while nothing takes new ones: what merely vanished from Docker keeps all it has, whatever its rules
 * say; of what was deleted all goes when that cannot be taken back any more, but for what is pinned.
 *
 * @returns undefined where the rules count
 */
export function suspended(
  { state, deletedAtMs }: Pick<EnvironmentRecord, 'state' | 'deletedAtMs'>,
  backups: readonly RetainedBackup[],
): readonly Verdict[] | undefined {
  if (deletedAtMs === null && state === 'active') return undefined;
  return backups.map(({ id, isPinned, createdAtMs }): Verdict => {
    if (isPinned) return { kind: 'keep', id, rules: [{ rule: 'pinned' }], end: { kind: 'none' } };
    if (deletedAtMs === null)
      return { kind: 'keep', id, rules: [{ rule: 'vanished' }], end: { kind: 'none' } };
    const { untilMs: atMs } = deletionOf(Math.max(deletedAtMs, createdAtMs));
    return { kind: 'keep', id, rules: [{ rule: 'environment-deleted' }], end: { kind: 'date', atMs } };
  });
}
