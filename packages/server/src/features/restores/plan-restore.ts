import { componentsOfPart, type SealedPart } from '@holdfast/protocol';
import type { SurveyedMount } from '../environments/survey.ts';

export interface PlannedPart {
  readonly part: SealedPart;
  /** The mount of the target environment that is to become the part. */
  readonly target: SurveyedMount;
}

export interface RestorePlan {
  readonly parts: readonly PlannedPart[];
  /** One for each part that has nowhere to go, with the reason. */
  readonly warnings: readonly string[];
}

export interface PlanRestoreOptions {
  readonly targets: readonly SurveyedMount[];
  /** Null: all of the backup. */
  readonly components: readonly string[] | null;
}

/**
 * Which part of files goes where. Where to is taken from the target alone: a part only says what to look for there. No two parts
 * get the same target.
 */
export function planRestore(
  parts: readonly SealedPart[],
  { targets, components }: PlanRestoreOptions,
): RestorePlan {
  const planned: PlannedPart[] = [];
  const warnings: string[] = [];
  for (const part of parts.filter((each) => each.source.kind !== 'command' && isChosen(each, components))) {
    const target = targets.find((candidate) => fits(part, candidate));
    const objection = objectionTo(part, target, planned);
    if (target === undefined || objection !== undefined) {
      warnings.push(`Not restored: ${part.name}: ${objection}.`);
    } else {
      planned.push({ part, target });
    }
  }
  return { parts: planned, warnings };
}

function isChosen(part: SealedPart, components: readonly string[] | null): boolean {
  return components === null || componentsOfPart(part).some((component) => components.includes(component));
}

/** A volume is known by its name, which is a new one each time for an anonymous one; a bind by who mounts it where. */
function fits(part: SealedPart, { mount }: SurveyedMount): boolean {
  const { source } = mount;
  if (source?.kind !== part.source.kind) return false;
  if (source.kind === 'volume' && part.source.kind === 'volume') return source.name === part.source.name;
  return mount.mountPoints.some(({ component, path }) =>
    part.mountPoints.some((point) => point.component === component && point.path === path),
  );
}

function objectionTo(
  part: SealedPart,
  target: SurveyedMount | undefined,
  planned: readonly PlannedPart[],
): string | undefined {
  if (target === undefined) return missingTarget(part);
  if (!target.mount.included && target.isByCommand !== true)
    return `it is left out now: ${target.mount.reason}`;
  const other = planned.find((each) => each.target === target);
  return other === undefined ? undefined : `${other.part.name} goes to the same place`;
}

function missingTarget({ source, mountPoints }: SealedPart): string {
  const [point] = mountPoints;
  const where = point === undefined ? 'anywhere' : `at ${point.path} in ${point.component}`;
  switch (source.kind) {
    case 'volume':
      return `the environment has no volume ${source.name} now`;
    case 'bind':
      return `the environment binds nothing ${where} now`;
    default:
      return `no container has an anonymous volume ${where} now; run docker compose create and restore again`;
  }
}
