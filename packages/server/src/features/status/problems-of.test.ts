import {
  backupIdSchema,
  environmentIdSchema,
  type Job,
  jobIdSchema,
  nodeIdSchema,
  notificationIdSchema,
  problemKinds,
  vaultIdSchema,
} from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { type EnvironmentFacts, isProtected, problemsOf, type StatusFacts } from './problems-of.ts';

const hourMs = 3_600_000;
const nowMs = 1_000 * hourMs;
const backupId = backupIdSchema.parse('bak_0123456789abcdef');

/** One that lacks nothing. */
function environment(change: Partial<EnvironmentFacts> = {}): EnvironmentFacts {
  return {
    id: environmentIdSchema.parse('env_0123456789abcdef'),
    ...{
      name: 'shop',
      nodeName: 'local',
      state: 'active' as const,
      isReachable: true,
      unfinishedRestore: null,
      deletion: null,
    },
    ...{ backups: 3, damagedBackups: 0, lastGoodBackup: { id: backupId, createdAtMs: nowMs - hourMs } },
    doubtfulBackup: null,
    ...{ lastFailedBackup: null, hasSchedule: true, nextRunAtMs: nowMs + hourMs, scheduleProblem: null },
    ...{ mountsLeftOut: [], writesOutsideMounts: [] },
    ...change,
  };
}

function facts(change: Partial<StatusFacts> = {}): StatusFacts {
  return {
    ...{ atMs: nowMs, environments: [environment()], nodes: [], vaults: [], notifications: [], jobs: [] },
    ...change,
  };
}

function ofEnvironment(change: Partial<EnvironmentFacts>) {
  const given = environment(change);
  const known = facts({ environments: [given] });
  const problems = problemsOf(known).map(({ kind, message, command }) => [kind, message, command]);
  return { problems, isProtected: isProtected(given, known) };
}

const left = (name: string) => ({ name, reason: 'bind mount of no known project folder', mountPoints: [] });
const error = { code: 'docker-unreachable', message: 'Docker does not answer' };

describe('of an environment', () => {
  test('that has all it needs, nothing', () => {
    expect(ofEnvironment({})).toEqual({ problems: [], isProtected: true });
    // Nobody could look: that is no problem of its own.
    expect(ofEnvironment({ writesOutsideMounts: null })).toEqual({ problems: [], isProtected: true });
  });

  test.each<[string, Partial<EnvironmentFacts>, string, string, string]>([
    [
      'has no backup',
      { lastGoodBackup: null },
      'never-backed-up',
      'There is no good backup of shop.',
      'holdfast backup:create shop',
    ],
    [
      'has no schedule',
      { hasSchedule: false, nextRunAtMs: null },
      'schedule-missing',
      'shop has no schedule: nothing backs it up by itself.',
      'holdfast schedule:set shop',
    ],
    [
      'is not backed up as its schedule says',
      { scheduleProblem: 'the vault was full' },
      'schedule-problem',
      'shop is not backed up as its schedule says: the vault was full.',
      'holdfast schedule:get shop',
    ],
    [
      'was due long ago',
      { nextRunAtMs: nowMs - 2.5 * hourMs },
      'run-late',
      'A backup of shop was due 2 hours ago, and has not begun.',
      'holdfast schedule:get shop',
    ],
    [
      'mounts what no backup has',
      { mountsLeftOut: [left('/srv/a'), left('/srv/b')] },
      'mounts-left-out',
      'No backup of shop has /srv/a (bind mount of no known project folder), /srv/b (bind mount of no known project folder).',
      'holdfast environment:get shop',
    ],
    [
      'writes into its containers',
      { writesOutsideMounts: ['web', 'db'] },
      'writes-outside-mounts',
      'No backup of shop has what web, db wrote outside any mount.',
      'holdfast environment:get shop',
    ],
  ])('that %s: a problem, and it is not protected', (_, change, kind, message, command) => {
    expect(ofEnvironment(change)).toEqual({ problems: [[kind, message, command]], isProtected: false });
  });

  test.each<[string, Partial<EnvironmentFacts>, string, string, string]>([
    [
      'failed last',
      { lastFailedBackup: { id: backupId, createdAtMs: nowMs, error } },
      'backup-failed',
      'The last backup of shop has failed: Docker does not answer.',
      `holdfast backup:log ${backupId}`,
    ],
    [
      'is doubtful since the last backup',
      { doubtfulBackup: { id: backupId, createdAtMs: nowMs, doubt: 'uploads is not there any more.' } },
      'backup-doubtful',
      'The last backup of shop does not count: uploads is not there any more. Where that was meant, accept it.',
      `holdfast backup:accept ${backupId}`,
    ],
    [
      'has damaged backups',
      { damagedBackups: 2 },
      'backups-damaged',
      '2 backups of shop are damaged.',
      'holdfast backup:list shop',
    ],
    [
      'has an unfinished restore',
      { unfinishedRestore: { backupId, startedAtMs: nowMs, reason: 'The disk is full.' } },
      'restore-unfinished',
      'A restore of shop was cut off, and it stands still: The disk is full.',
      `holdfast backup:restore ${backupId} --target shop`,
    ],
  ])('that %s: a problem, and what it has is protected all the same', (_, change, kind, message, command) => {
    expect(ofEnvironment(change)).toEqual({ problems: [[kind, message, command]], isProtected: true });
  });

  test('a run that is late by minutes is none', () => {
    expect(ofEnvironment({ nextRunAtMs: nowMs - 59 * 60_000 }).problems).toEqual([]);
  });

  test('that is inactive: only what stands still or is damaged', () => {
    const bare = {
      lastGoodBackup: null,
      hasSchedule: false,
      mountsLeftOut: [left('/a')],
      writesOutsideMounts: ['web'],
    };
    expect(ofEnvironment({ state: 'inactive', ...bare })).toEqual({ problems: [], isProtected: false });
    const { problems } = ofEnvironment({ state: 'inactive', ...bare, damagedBackups: 1 });
    expect(problems.map(([kind, message]) => [kind, message])).toEqual([
      ['backups-damaged', 'A backup of shop is damaged.'],
    ]);
  });

  test('that was deleted: only what stands still; and it is not protected', () => {
    const deletion = { atMs: nowMs, untilMs: nowMs + 1 };
    const wanting = { lastGoodBackup: null, hasSchedule: false, damagedBackups: 1, nextRunAtMs: null };
    expect(ofEnvironment({ deletion, ...wanting })).toEqual({ problems: [], isProtected: false });
    expect(ofEnvironment({ deletion })).toEqual({ problems: [], isProtected: false });
    const unfinishedRestore = { backupId, startedAtMs: nowMs, reason: 'The disk is full.' };
    const { problems } = ofEnvironment({ deletion, unfinishedRestore });
    expect(problems.map(([kind]) => kind)).toEqual(['restore-unfinished']);
  });

  test('whose node does not answer: not what was last seen of its mounts; and it is not protected', () => {
    const { problems, isProtected: is } = ofEnvironment({ isReachable: false, mountsLeftOut: [left('/a')] });
    expect({ problems, is }).toEqual({ problems: [], is: false });
  });

  test('whose name another has too: commands name its id', () => {
    const other = environment({ id: environmentIdSchema.parse('env_fedcba9876543210'), nodeName: 'second' });
    const both = facts({ environments: [environment({ lastGoodBackup: null }), other] });
    expect(problemsOf(both)).toMatchObject([{ command: 'holdfast backup:create env_0123456789abcdef' }]);
  });
});

describe('of the rest', () => {
  const vault = {
    id: vaultIdSchema.parse('vlt_0123456789abcdef'),
    ...{ name: 'b2', location: 's3:https://host/b', status: 'ok' as const, problem: null, checkedAtMs: null },
    ...{ freeBytes: null, totalBytes: null, isNearlyFull: false },
  };
  const node = {
    id: nodeIdSchema.parse('nod_0123456789abcdef'),
    name: 'far',
    status: 'ok' as const,
    error: null,
  };
  const notification = {
    id: notificationIdSchema.parse('ntf_0123456789abcdef'),
    ...{ name: 'ops', queued: 0, failed: 5, lastDeliveredAtMs: nowMs, lastError: null },
  };
  const job: Job = {
    id: jobIdSchema.parse('job_0123456789abcdef'),
    ...{
      kind: 'backup',
      state: 'queued',
      environmentId: environment().id,
      environmentName: 'shop',
      backupId,
    },
    ...{ step: '', progress: null, error: null, warnings: [], cancelRequested: false, createdBy: 'me' },
    ...{ createdAtMs: nowMs, startedAtMs: null, finishedAtMs: null },
  };

  test('what works is no problem, messages that were given up before neither', () => {
    const all = { vaults: [vault], nodes: [node], notifications: [notification], jobs: [job] };
    expect(problemsOf(facts(all))).toEqual([]);
    expect(problemsOf(facts({ vaults: null, nodes: null, notifications: null, jobs: null }))).toEqual([]);
  });

  test.each<[Partial<StatusFacts>, string, string, string]>([
    [
      { nodes: [{ ...node, status: 'unreachable', error: 'Docker is not reachable.' }] },
      'node-unreachable',
      'The node far does not answer: Docker is not reachable.',
      'node:list',
    ],
    [
      { vaults: [{ ...vault, status: 'missing', problem: 'It has no marker' }] },
      'vault-missing',
      'The vault b2 is not where it was: It has no marker.',
      'vault:test b2',
    ],
    [
      { vaults: [{ ...vault, status: 'failing', problem: null }] },
      'vault-failing',
      'The vault b2 cannot be used: why is not known.',
      'vault:test b2',
    ],
    [
      { vaults: [{ ...vault, isNearlyFull: true }] },
      'vault-nearly-full',
      'The vault b2 is nearly full.',
      'vault:usage b2',
    ],
    [
      { notifications: [{ ...notification, lastError: { atMs: 0, message: 'Status 404.' } }] },
      'notification-failing',
      'The last message to ops did not arrive: Status 404.',
      'notification:test ops',
    ],
    [
      { jobs: [job, { ...job, createdAtMs: nowMs - 1.5 * hourMs }] },
      'jobs-waiting',
      'A job waits to be begun, for up to an hour.',
      'job:list --state running',
    ],
  ])('%#', (change, kind, message, command) => {
    expect(problemsOf(facts(change))).toMatchObject([{ kind, message, command: `holdfast ${command}` }]);
  });

  test('a job that is under way for long is none', () => {
    const jobs = [{ ...job, state: 'running' as const, createdAtMs: 0 }];
    expect(problemsOf(facts({ jobs }))).toEqual([]);
  });
});

test('every kind of problem is one that somebody can have', () => {
  const worst = environment({
    ...{ lastGoodBackup: null, damagedBackups: 1, mountsLeftOut: [left('/a')], writesOutsideMounts: ['web'] },
    lastFailedBackup: { id: backupId, createdAtMs: 0, error: null },
    doubtfulBackup: { id: backupId, createdAtMs: 0, doubt: 'No.' },
    unfinishedRestore: { backupId, startedAtMs: 0, reason: 'No.' },
  });
  const kinds = problemsOf(
    facts({
      environments: [
        { ...worst, hasSchedule: false },
        { ...worst, scheduleProblem: 'no' },
        { ...worst, nextRunAtMs: 0 },
      ],
    }),
  ).map(({ kind }) => kind);
  const others = [
    'node-unreachable',
    'vault-missing',
    'vault-failing',
    'vault-nearly-full',
    'notification-failing',
    'jobs-waiting',
  ];
  expect(new Set([...kinds, ...others])).toEqual(new Set(problemKinds));
});
