import type { BackupTask, SealedPart } from '@holdfast/protocol';
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
    const { mount } = surveyed;
    const place = placeOf(surveyed);
    if (!mount.included || mount.source === null || place === undefined) return [];
    if (!isChosen(mount.mountPoints, options.components)) return [];
    const last = options.lastParts.get(mount.name);
    return [
      {
        partName: mount.name,
        place,
        name: mount.name,
        source: mount.source,
        mountPoints: mount.mountPoints,
        parentSnapshotId: last?.snapshotId ?? null,
        mustNotBeEmpty: !options.allowEmpty && last !== undefined && last.files > 0,
      },
    ];
  });
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
