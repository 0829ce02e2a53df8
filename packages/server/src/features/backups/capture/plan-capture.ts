import { type BackupTask, isOfMount, type SealedPart } from '@holdfast/protocol';
import type { PartPlace } from '../../../runner/place-parts.ts';
import type { SurveyedMount } from '../../environments/survey.ts';

export type CapturePart = Omit<BackupTask['parts'][number], 'path'> & PartPlace;

export interface PlanCaptureOptions {
  /** Null: all. */
  readonly components: readonly string[] | null;
  /** The newest ready part of each name. */
  readonly lastParts: ReadonlyMap<string, SealedPart>;
  readonly allowEmpty: boolean;
}

/** The mounts that a backup is of, as the parts they become. */
export function planCapture(
  mounts: readonly SurveyedMount[],
  options: PlanCaptureOptions,
): readonly CapturePart[] {
  return mounts.flatMap((surveyed) => {
    const { included, mountPoints } = surveyed.mount;
    if (!included || !isChosen(mountPoints, options.components)) return [];
    return captureOf(surveyed, options);
  });
}

/** The part that a mount becomes, whether or not backups include it; none for one that has no lasting source. */
export function captureOf(
  surveyed: SurveyedMount,
  { lastParts, allowEmpty }: Omit<PlanCaptureOptions, 'components'>,
): readonly CapturePart[] {
  const { name, source, mountPoints } = surveyed.mount;
  const place = placeOf(surveyed);
  if (source === null || place === undefined) return [];
  const named = lastParts.get(name);
  const last = named !== undefined && isOfMount(named.source) ? named : undefined;
  return [
    {
      partName: name,
      place,
      name,
      source,
      mountPoints,
      parentSnapshotId: last?.snapshotId ?? null,
      mustNotBeEmpty: !allowEmpty && last !== undefined && last.files > 0,
    },
  ];
}

/** Where the mount's contents are; undefined for one that has no lasting source. */
export function placeOf({ mount, described }: SurveyedMount): PartPlace['place'] | undefined {
  switch (mount.source?.kind) {
    case 'volume':
    case 'anonymous':
      return { kind: 'volume', name: mount.source.name };
    case 'bind':
      return { kind: 'bind', path: described.realPath ?? mount.source.path };
    case undefined:
      return undefined;
  }
}

function isChosen(
  mountPoints: readonly { readonly component: string }[],
  components: readonly string[] | null,
): boolean {
  return components === null || mountPoints.some(({ component }) => components.includes(component));
}
