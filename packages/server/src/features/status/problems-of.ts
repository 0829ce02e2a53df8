import type { EnvironmentStatus, Problem, ProblemKind, Status } from '@holdfast/protocol';

export type EnvironmentFacts = Omit<EnvironmentStatus, 'isProtected'>;

/** All that is known before anybody has judged it. */
export interface StatusFacts extends Omit<Status, 'environments' | 'problems'> {
  readonly environments: readonly EnvironmentFacts[];
}

const unknown = 'why is not known.';
/** A run that is due begins within minutes; a job that waits for longer has others in its way. */
const patienceMs = 60 * 60_000;

/** With one of these, some data of an environment is in no backup, or soon will not be. */
const exposing: ReadonlySet<ProblemKind> = new Set<ProblemKind>([
  'never-backed-up',
  'run-late',
  'schedule-problem',
  'schedule-missing',
  'mounts-left-out',
  'writes-outside-mounts',
]);

/** What needs a person, by its urgency: first what is in no backup at all, last what only waits. */
export function problemsOf(facts: StatusFacts): Problem[] {
  const { environments, nodes, vaults, notifications, atMs } = facts;
  const ofEnvironments = environments.map((each) => problemsOfEnvironment(each, facts));
  return [
    ...(nodes ?? []).flatMap(ofNode),
    ...ofEnvironments.flat(),
    ...(vaults ?? []).flatMap(ofVault),
    ...(notifications ?? []).flatMap(ofNotification),
    ...ofQueue(facts.jobs ?? [], atMs),
  ];
}

/** Whether all of an environment's data is in a backup, and will be in the next. */
export function isProtected(environment: EnvironmentFacts, facts: StatusFacts): boolean {
  const { state, isReachable, lastGoodBackup, deletion } = environment;
  if (deletion !== null || state !== 'active' || !isReachable || lastGoodBackup === null) return false;
  return !problemsOfEnvironment(environment, facts).some(({ kind }) => exposing.has(kind));
}

function problemsOfEnvironment(environment: EnvironmentFacts, facts: StatusFacts): Problem[] {
  const { name, state, isReachable, damagedBackups, unfinishedRestore, deletion } = environment;
  const target = targetOf(environment, facts);
  const problems: Problem[] = [];
  if (unfinishedRestore !== null) {
    const { backupId, reason } = unfinishedRestore;
    const message = `A restore of ${name} was cut off, and it stands still: ${sentence(reason)}`;
    problems.push(
      problem('restore-unfinished', name, message, `backup:restore ${backupId} --target ${target}`),
    );
  }
  // Whoever deleted it wants none of it.
  if (deletion !== null) return problems;
  if (state === 'active') {
    problems.push(...ofBackups(environment, target), ...ofSchedule(environment, target, facts.atMs));
    if (isReachable) problems.push(...ofGaps(environment, target));
  }
  if (damagedBackups > 0) {
    const what = damagedBackups === 1 ? 'A backup' : `${damagedBackups} backups`;
    const message = `${what} of ${name} ${damagedBackups === 1 ? 'is' : 'are'} damaged.`;
    problems.push(problem('backups-damaged', name, message, `backup:list ${target}`));
  }
  return problems;
}

function ofBackups({ name, ...environment }: EnvironmentFacts, target: string): Problem[] {
  const { lastGoodBackup, lastFailedBackup, doubtfulBackup } = environment;
  const problems: Problem[] = [];
  if (lastGoodBackup === null) {
    const message = `There is no good backup of ${name}.`;
    problems.push(problem('never-backed-up', name, message, `backup:create ${target}`));
  }
  if (lastFailedBackup !== null) {
    const { id, error } = lastFailedBackup;
    const message = `The last backup of ${name} has failed: ${sentence(error?.message ?? unknown)}`;
    problems.push(problem('backup-failed', name, message, `backup:log ${id}`));
  }
  if (doubtfulBackup !== null) {
    const { id, doubt } = doubtfulBackup;
    const message = `The last backup of ${name} does not count: ${sentence(doubt)} Where that was meant, accept it.`;
    problems.push(problem('backup-doubtful', name, message, `backup:accept ${id}`));
  }
  return problems;
}

function ofSchedule({ name, ...environment }: EnvironmentFacts, target: string, nowMs: number): Problem[] {
  const { hasSchedule, nextRunAtMs, scheduleProblem } = environment;
  if (!hasSchedule) {
    const message = `${name} has no schedule: nothing backs it up by itself.`;
    return [problem('schedule-missing', name, message, `schedule:set ${target}`)];
  }
  if (scheduleProblem !== null) {
    const message = `${name} is not backed up as its schedule says: ${sentence(scheduleProblem)}`;
    return [problem('schedule-problem', name, message, `schedule:get ${target}`)];
  }
  if (nextRunAtMs === null || nowMs - nextRunAtMs <= patienceMs) return [];
  const message = `A backup of ${name} was due ${hours(nowMs - nextRunAtMs)} ago, and has not begun.`;
  return [problem('run-late', name, message, `schedule:get ${target}`)];
}

function ofGaps({ name, ...environment }: EnvironmentFacts, target: string): Problem[] {
  const { mountsLeftOut, writesOutsideMounts } = environment;
  const problems: Problem[] = [];
  const command = `environment:get ${target}`;
  if (mountsLeftOut.length > 0) {
    const mounts = mountsLeftOut.map((mount) => `${mount.name} (${mount.reason})`).join(', ');
    problems.push(problem('mounts-left-out', name, `No backup of ${name} has ${mounts}.`, command));
  }
  if (writesOutsideMounts !== null && writesOutsideMounts.length > 0) {
    const components = writesOutsideMounts.join(', ');
    const message = `No backup of ${name} has what ${components} wrote outside any mount.`;
    problems.push(problem('writes-outside-mounts', name, message, command));
  }
  return problems;
}

function ofNode({ name, status, error }: NonNullable<Status['nodes']>[number]): Problem[] {
  if (status === 'ok') return [];
  const message = `The node ${name} does not answer: ${sentence(error ?? unknown)}`;
  return [problem('node-unreachable', name, message, 'node:list')];
}

function ofVault(vault: NonNullable<Status['vaults']>[number]): Problem[] {
  const { name, status, problem: why, isNearlyFull } = vault;
  if (status !== 'ok') {
    const what = status === 'missing' ? 'is not where it was' : 'cannot be used';
    const message = `The vault ${name} ${what}: ${sentence(why ?? unknown)}`;
    return [problem(`vault-${status}`, name, message, `vault:test ${name}`)];
  }
  if (!isNearlyFull) return [];
  return [problem('vault-nearly-full', name, `The vault ${name} is nearly full.`, `vault:usage ${name}`)];
}

function ofNotification({ name, lastError }: NonNullable<Status['notifications']>[number]): Problem[] {
  if (lastError === null) return [];
  const message = `The last message to ${name} did not arrive: ${sentence(lastError.message)}`;
  return [problem('notification-failing', name, message, `notification:test ${name}`)];
}

function ofQueue(jobs: NonNullable<Status['jobs']>, nowMs: number): Problem[] {
  const late = jobs.filter(
    ({ state, createdAtMs }) => state === 'queued' && nowMs - createdAtMs > patienceMs,
  );
  if (late.length === 0) return [];
  const longestMs = Math.max(...late.map(({ createdAtMs }) => nowMs - createdAtMs));
  const what = late.length === 1 ? 'A job waits' : `${late.length} jobs wait`;
  const message = `${what} to be begun, for up to ${hours(longestMs)}.`;
  return [problem('jobs-waiting', null, message, 'job:list --state running')];
}

function problem(kind: ProblemKind, subject: string | null, message: string, command: string): Problem {
  return { kind, subject, message, command: `holdfast ${command}` };
}

/** How a command names it: by its name, where that is nobody else's. */
function targetOf({ id, name }: EnvironmentFacts, { environments }: StatusFacts): string {
  return environments.some((other) => other.name === name && other.id !== id) ? id : name;
}

function hours(durationMs: number): string {
  const count = Math.floor(durationMs / 3_600_000);
  return count === 1 ? 'an hour' : `${count} hours`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
