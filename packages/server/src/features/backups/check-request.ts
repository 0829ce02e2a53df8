import { HoldfastError } from '@holdfast/base';
import { componentsOfPart } from '@holdfast/protocol';
import { requireNotDeleted } from '../environments/deletion.ts';
import type { EnvironmentRecord } from '../environments/environment-record.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';
import type { JobRequest } from '../jobs/job-record.ts';
import type { BackupWithParts } from './backup-record.ts';

export interface BackupCheck {
  /** Undefined for all. */
  readonly components: readonly string[] | undefined;
  /** Whether code and configuration are to be kept too, where that is of all components. */
  readonly code: boolean;
}

/**
 * Whether a backup of an environment, as it is now, can be taken.
 *
 * @returns the names of the components that it is of
 * @throws HoldfastError `environment-deleted`, `environment-inactive`, `environment-unfinished-restore`,
 *   `component-unknown`, `environment-empty`
 */
export function requireBackupPossible(
  { record: environment, commands }: Pick<EnvironmentSurvey, 'record' | 'commands'>,
  { components, code }: BackupCheck,
): readonly string[] {
  const { name, state, seen, unfinishedRestore } = environment;
  const context = { environmentId: environment.id };
  requireNotDeleted(environment);
  if (state === 'inactive') {
    throw new HoldfastError(
      'environment-inactive',
      `The environment (Compose project) ${name} has no containers.`,
      { hint: 'Start it first (docker compose up). It can be restored as it is.', context },
    );
  }
  if (unfinishedRestore !== null)
    throw unfinished(environment, 'A backup would keep a state that never was.');
  const known = seen.components.map((component) => component.name);
  const chosen = components ?? known;
  requireKnown(chosen, known, `The environment ${name}`);
  if (code && components === undefined) return chosen;
  const isAnyIncluded = seen.mounts.some(
    ({ included, mountPoints }) =>
      included &&
      // A volume of the project that no container mounts now is of no component, and goes with the whole.
      (components === undefined || mountPoints.some(({ component }) => chosen.includes(component))),
  );
  if (isAnyIncluded || chosen.some((each) => commands.get(each)?.backup !== undefined)) return chosen;
  throw new HoldfastError(
    'environment-empty',
    `Nothing of the environment ${name} would be in the backup: no mount of ${chosen.join(', ')} is included, and none has a backup command.`,
    { hint: `holdfast environment:get ${name} lists every mount with the reason.`, context },
  );
}

/** @throws HoldfastError `backup-not-ready` */
export function requireReady({ id, status }: BackupWithParts): void {
  if (status === 'ready') return;
  throw new HoldfastError('backup-not-ready', `The backup ${id} is ${status}.`, {
    hint: 'Only what is in a backup that is ready can be restored, listed or downloaded.',
    context: { backupId: id, status },
  });
}

type PathInPart = NonNullable<EarlierRestore['paths']>[number];

export interface RestoreCheck {
  readonly backup: BackupWithParts;
  /** Undefined for all. */
  readonly components: readonly string[] | undefined;
  /** Undefined for all. */
  readonly paths: readonly PathInPart[] | undefined;
  /** What the unfinished restore of the environment that is restored was to do, if there is one. */
  readonly unfinished: JobRequest | null;
}

/** @throws HoldfastError `backup-not-ready`, `component-unknown`, `environment-unfinished-restore` */
export function requireRestorePossible(check: RestoreCheck): void {
  const { backup, components, unfinished: earlier } = check;
  requireReady(backup);
  if (components !== undefined) {
    const known = new Set(backup.parts.flatMap(componentsOfPart));
    requireKnown(components, [...known].sort(), `The backup ${backup.id}`);
  }
  if (earlier?.kind !== 'restore' || isCovered(earlier, check)) return;
  throw new HoldfastError(
    'environment-unfinished-restore',
    'A restore of more than that was cut off, and has to be completed.',
    { hint: `Restore ${completing(earlier)}.`, context: { backupId: backup.id } },
  );
}

type EarlierRestore = Extract<JobRequest, { kind: 'restore' }>;

/** Whether all that was begun is restored now. */
function isCovered(
  { components: begunComponents, paths: begunPaths }: EarlierRestore,
  { components, paths }: RestoreCheck,
): boolean {
  const isComplete =
    components === undefined ||
    (begunPaths === null && begunComponents?.every((each) => components.includes(each)) === true);
  if (paths === undefined) return isComplete;
  const isBeneath = ({ part, names }: PathInPart): boolean =>
    paths.some((path) => path.part === part && path.names.every((name, index) => names[index] === name));
  return isComplete && begunPaths?.every(isBeneath) === true;
}

function completing({ components, paths }: EarlierRestore): string {
  if (paths !== null)
    return `at least ${paths.map(({ part, names }) => [part, ...names].join('/')).join(', ')}`;
  return components === null ? 'without naming components or paths' : `at least ${components.join(', ')}`;
}

export interface BranchCheck {
  readonly branchFrom: string | undefined;
  readonly target: string | undefined;
  readonly node: string | undefined;
  readonly components: readonly string[] | undefined;
  readonly paths: readonly unknown[] | undefined;
  readonly dryRun: boolean;
}

/** A new environment gets all of a backup, or it would be no copy. @throws HoldfastError `usage-invalid` */
export function requireBranchPossible(check: BranchCheck): void {
  const problem = check.branchFrom === undefined ? strayNode(check) : branchProblem(check);
  if (problem === undefined) return;
  throw new HoldfastError('usage-invalid', problem, {
    hint: 'holdfast backup:restore ID --target NAME --branch-from ENVIRONMENT [--node NODE]',
  });
}

function strayNode({ node }: BranchCheck): string | undefined {
  return node === undefined ? undefined : 'A node is chosen for a new environment only.';
}

function branchProblem({ target, components, paths, dryRun }: BranchCheck): string | undefined {
  if (target === undefined) return 'A new environment is to be made: a target has to give it a name.';
  if (components !== undefined || paths !== undefined)
    return 'A new environment is to be made: it gets all of the backup.';
  return dryRun ? 'A new environment is to be made: nothing of it is there to compare with.' : undefined;
}

/**
 * @param needing the environment whose unfinished restore is one of the backup
 * @throws HoldfastError `environment-unfinished-restore`
 */
export function requireDeletePossible(needing: EnvironmentRecord | undefined): void {
  if (needing === undefined) return;
  throw unfinished(needing, 'This backup is needed to complete it.');
}

function unfinished({ id, name, unfinishedRestore }: EnvironmentRecord, why: string): HoldfastError {
  const backupId = unfinishedRestore?.backupId ?? '';
  return new HoldfastError(
    'environment-unfinished-restore',
    `A restore of the environment ${name} was cut off. ${why}`,
    {
      hint: `Complete it: holdfast backup:restore ${backupId} --target ${name}.`,
      context: { environmentId: id, backupId },
    },
  );
}

function requireKnown(names: readonly string[], known: readonly string[], where: string): void {
  const missing = names.find((name) => !known.includes(name));
  if (missing === undefined) return;
  throw new HoldfastError('component-unknown', `${where} has no component ${missing}.`, {
    hint: `It has: ${known.join(', ')}.`,
    context: { component: missing, known: [...known] },
  });
}
