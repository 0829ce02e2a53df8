import {
  type EnvironmentStatus,
  nodeIdSchema,
  notificationIdSchema,
  type Status,
  vaultIdSchema,
} from '@holdfast/protocol';
import { expect, it } from 'vitest';
import { cliRun } from '../../testing/cli-run.ts';
import { ProtocolServer } from '../../testing/protocol-server.ts';
import { sampleBackupId, sampleEnvironment, sampleJob, sampleTimeMs } from '../../testing/samples.ts';
import { statusLines } from './status-lines.ts';

const hourMs = 3_600_000;

function environment(name: string, change: Partial<EnvironmentStatus> = {}): EnvironmentStatus {
  const { id, nodeName, state, isReachable } = sampleEnvironment(name);
  return {
    ...{ id, name, nodeName, state, isReachable, isProtected: true, backups: 12, damagedBackups: 0 },
    ...{
      lastGoodBackup: { id: sampleBackupId, createdAtMs: sampleTimeMs - 3 * hourMs },
      lastFailedBackup: null,
      doubtfulBackup: null,
    },
    ...{ hasSchedule: true, nextRunAtMs: sampleTimeMs + 21 * hourMs, scheduleProblem: null },
    ...{ mountsLeftOut: [], writesOutsideMounts: [], unfinishedRestore: null, deletion: null },
    ...change,
  };
}

function sample(change: Partial<Status> = {}): Status {
  return {
    atMs: sampleTimeMs,
    environments: [environment('blog'), environment('shop')],
    nodes: [{ id: nodeIdSchema.parse('nod_0123456789abcdef'), name: 'local', status: 'ok', error: null }],
    vaults: [
      {
        id: vaultIdSchema.parse('vlt_0123456789abcdef'),
        ...{
          name: 'default',
          location: '/var/lib/holdfast/vault',
          status: 'ok',
          problem: null,
          checkedAtMs: null,
        },
        ...{ freeBytes: 30 * 1024 ** 3, totalBytes: 100 * 1024 ** 3, isNearlyFull: false },
      },
    ],
    ...{ notifications: [], jobs: [], problems: [] },
    ...change,
  };
}

const troubled = sample({
  environments: [
    environment('blog'),
    environment('shop', {
      isProtected: false,
      lastGoodBackup: null,
      backups: 0,
      hasSchedule: false,
      nextRunAtMs: null,
    }),
    environment('wiki', { nodeName: 'second', isReachable: false, isProtected: false }),
    environment('old', { state: 'inactive', isProtected: false, backups: 2 }),
    environment('gone', { state: 'inactive', isProtected: false, backups: 0 }),
  ],
  nodes: [
    { id: nodeIdSchema.parse('nod_0123456789abcdef'), name: 'local', status: 'ok', error: null },
    {
      id: nodeIdSchema.parse('nod_fedcba9876543210'),
      name: 'second',
      status: 'unreachable',
      error: 'No answer.',
    },
  ],
  notifications: [
    {
      id: notificationIdSchema.parse('ntf_0123456789abcdef'),
      ...{ name: 'ops', queued: 1, failed: 2, lastDeliveredAtMs: null, lastError: null },
    },
  ],
  jobs: [sampleJob({ state: 'running', step: 'Reading uploads', startedAtMs: sampleTimeMs - 5 * 60_000 })],
  problems: [
    {
      kind: 'never-backed-up',
      subject: 'shop',
      message: 'There is no good backup of shop.',
      command: 'holdfast backup:create shop',
    },
    {
      kind: 'mounts-left-out',
      subject: 'shop',
      message:
        "No backup of shop has /srv/media (bind mount outside the project's folder /srv/shop; holdfast.include chooses it).",
      command: 'holdfast environment:get shop',
    },
  ],
});

it('status says that all is well, in few words, with exit status 0', async () => {
  await using server = await ProtocolServer.start({ 'status.get': () => sample() });
  const { status, output, notes } = await cliRun(['status'], { server });
  expect({ status, notes }).toEqual({ status: 0, notes: '' });
  expect(output).toBe(
    [
      '2 of 2 environments are protected.',
      '',
      'ENVIRONMENT  PROTECTED  LAST GOOD BACKUP  NEXT RUN  BACKUPS',
      'blog         yes        3 h ago           in 21 h   12',
      'shop         yes        3 h ago           in 21 h   12',
      '',
      'VAULT    STATUS  FREE      LAST TRIED  LOCATION',
      'default  ok      30.0 GiB  now         /var/lib/holdfast/vault',
      '',
    ].join('\n'),
  );
});

it('status ends with what needs somebody, each with a command, and exit status 3', async () => {
  await using server = await ProtocolServer.start({ 'status.get': () => troubled });
  const { status, output } = await cliRun(['status'], { server });
  expect(status).toBe(3);
  expect(output).toMatch(/^1 of 3 environments are protected\.\n/);
  expect(output).toMatch(/^shop +local +no +never +no schedule +0$/m);
  expect(output).toMatch(/^wiki +second +unreachable /m);
  expect(output).toMatch(/^old +local +inactive +3 h ago +- +2$/m);
  expect(output).not.toMatch(/^gone/m);
  expect(output).toMatch(/^ops +never +1 +2$/m);
  expect(output).toMatch(/^backup job_\w+ +guestbook +running +5 min +Reading uploads$/m);
  const end = output.slice(output.indexOf('2 things need you:'));
  expect(end.split('\n').slice(0, 3)).toEqual([
    '2 things need you:',
    '- There is no good backup of shop.',
    '  $ holdfast backup:create shop',
  ]);
  const json = await cliRun(['status', '--format', 'json'], { server });
  expect([json.status, JSON.parse(json.output)]).toEqual([3, troubled]);
});

it('what was deleted is counted nowhere, and shown with its last day', () => {
  const untilMs = sampleTimeMs + 24 * hourMs;
  const deletion = { atMs: untilMs - 7 * 24 * hourMs, untilMs };
  const over = { atMs: deletion.atMs, untilMs: sampleTimeMs };
  const lines = statusLines(
    sample({
      environments: [
        environment('blog'),
        environment('shop', { isProtected: false, deletion, nextRunAtMs: null }),
        environment('wiki', { isProtected: false, deletion: over, nextRunAtMs: null, backups: 0 }),
      ],
    }),
    120,
  );
  expect(lines[0]).toBe('1 of 1 environment is protected.');
  expect(lines.find((line) => line.startsWith('shop'))).toMatch(
    /^shop +deleted until 2026-11-22 \d\d:00 +3 h ago +- +12$/,
  );
  expect(lines.find((line) => line.startsWith('wiki'))).toMatch(/^wiki +deleted +3 h ago +- +0$/);
});

it('fits a terminal of 80 columns', () => {
  const lines = statusLines(troubled, 80);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines).toContain('  /srv/shop; holdfast.include chooses it).');
});

it('what the token may not read is not there', () => {
  const bare = sample({ environments: [], nodes: null, vaults: null, notifications: null, jobs: null });
  expect(statusLines(bare, 80)).toEqual(['There is no active environment (Compose project).']);
});
