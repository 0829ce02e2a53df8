import { isOfMount, mountForPart, type SealedPart, volumeKeyOf } from '@holdfast/protocol';
import type { SurveyedMount } from '../environments/survey.ts';
import { isChosen, pathsWithin, type RestoreChoice } from './restore-choice.ts';

export interface PlannedPart {
  readonly part: SealedPart;
  /** The mount of the target environment that is to become the part, or to get what is chosen of it. */
  readonly target: SurveyedMount;
  /** Only what lies at these paths, by names; null: all of the part. */
  readonly only: [string, ...string[]][] | null;
}

export interface RestorePlan {
  readonly parts: readonly PlannedPart[];
  /** One for each part that has nowhere to go, with the reason. */
  readonly warnings: readonly string[];
}

export interface PlanRestoreOptions {
  readonly choice: RestoreChoice;
  readonly targets: readonly SurveyedMount[];
  /** Whether the targets are those of another environment than the one that the backup is of. */
  readonly isElsewhere: boolean;
}

/**
 * Which part of files goes where. Where to is taken from the target alone: a part only says what to look for there. No two parts
 * get the same target.
 */
export function planRestore(
  parts: readonly SealedPart[],
  { targets, choice, isElsewhere }: PlanRestoreOptions,
): RestorePlan {
  const mounts = targets.map(({ mount }) => mount);
  const planned: PlannedPart[] = [];
  const warnings: string[] = [];
  for (const part of parts.filter((each) => isOfMount(each.source) && isChosen(each, choice))) {
    const mount = mountForPart(part, { parts, mounts, isElsewhere });
    const target = mount === undefined ? undefined : targets.find((each) => each.mount === mount);
    const objection =
      target === undefined ? missingTarget(part, isElsewhere) : objectionTo(target, planned, isElsewhere);
    if (target === undefined || objection !== undefined) {
      warnings.push(`Not restored: ${part.name}: ${objection}.`);
    } else {
      planned.push({ part, target, only: pathsWithin(part, choice) });
    }
  }
  return { parts: planned, warnings };
}

function objectionTo(
  target: SurveyedMount,
  planned: readonly PlannedPart[],
  isElsewhere: boolean,
): string | undefined {
  if (!target.mount.included && target.isByCommand !== true)
    return `it is left out now: ${target.mount.reason}`;
  // It may be the very data that the backup is of, in the app that it is of.
  const users = isElsewhere ? target.described.otherUsers : [];
  if (users.length > 0)
    return `containers of others use ${target.mount.name} too: ${users.map(({ name }) => name).join(', ')}`;
  const other = planned.find((each) => each.target === target);
  return other === undefined ? undefined : `${other.part.name} goes to the same place`;
}

function missingTarget({ source, mountPoints }: SealedPart, isElsewhere: boolean): string {
  const [point] = mountPoints;
  // It was adopted: nobody is known to mount it.
  if (point === undefined && source.kind === 'bind') return `nothing is bound from ${source.path} there`;
  if (point === undefined && source.kind === 'volume') return `there is no volume ${source.name}`;
  const where = point === undefined ? 'anywhere' : `at ${point.path} in ${point.component}`;
  if (isElsewhere && source.kind !== 'bind') {
    const key = volumeKeyOf(source);
    const orKey = key === undefined ? '' : `, nor one that its Compose file calls ${key}`;
    return `the target mounts no volume ${where}${orKey}`;
  }
  switch (source.kind) {
    case 'volume':
      return `the environment has no volume ${source.name} now`;
    case 'bind':
      return `the environment binds nothing ${where} now`;
    default:
      return `no container has an anonymous volume ${where} now; run docker compose create and restore again`;
  }
}
