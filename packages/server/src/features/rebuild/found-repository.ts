import { componentsOfPart, type EnvironmentId, type FoundBackup } from '@holdfast/protocol';
import type { SeenEnvironment } from '../environments/environment-record.ts';

/** An environment as the backups of one repository tell of it. */
export interface FoundEnvironment {
  readonly id: EnvironmentId;
  readonly name: string;
  readonly type: 'production' | 'staging' | 'development';
  readonly folder: string | null;
  readonly seen: SeenEnvironment;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
}

/** The environment of the newest backup. */
export function environmentOf(backups: readonly [FoundBackup, ...FoundBackup[]]): FoundEnvironment {
  const times = backups.map(({ manifest }) => manifest.createdAtMs);
  const newest = backups.reduce((last, each) =>
    each.manifest.createdAtMs >= last.manifest.createdAtMs ? each : last,
  );
  const { id, name, type, folder } = newest.manifest.environment;
  return {
    id,
    name,
    type,
    folder,
    seen: seenBy(newest),
    firstSeenAtMs: Math.min(...times),
    lastSeenAtMs: Math.max(...times),
  };
}

/** The components that a backup has something of, in the order of its parts. */
export function componentsOf({ manifest }: FoundBackup): string[] {
  return [...new Set(manifest.parts.flatMap(componentsOfPart))];
}

/**
 * Until its containers are seen again, an environment can be restored into its named volumes. A path of the machine, or
 * an anonymous volume, is never taken from a backup: this may be another machine.
 */
function seenBy(backup: FoundBackup): SeenEnvironment {
  return {
    components: componentsOf(backup).map((name) => ({ name, instances: [] })),
    mounts: backup.manifest.parts.flatMap(({ name, source, mountPoints }) => {
      // What was adopted: nobody has ever mounted it as far as we know, and somebody else may do so now.
      if (source.kind !== 'volume' || mountPoints.length === 0) return [];
      return [{ name, source, mountPoints, included: true, reason: 'It is in the newest backup.' }];
    }),
    crons: [],
  };
}
