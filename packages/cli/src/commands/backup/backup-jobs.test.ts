import { setTimeout as delay } from 'node:timers/promises';
import { ApiError, type Job, type JobEvent, type LogLine } from '@holdfast/protocol';
import { describe, expect, it } from 'vitest';
import { Interrupts } from '../../interrupts.ts';
import { type CliRunOptions, cliRun } from '../../testing/cli-run.ts';
import { type Answers, ProtocolServer } from '../../testing/protocol-server.ts';
import {
  sampleBackup,
  sampleBackupId,
  sampleBackupSummary,
  sampleEnvironment,
  sampleEnvironmentDetail,
  sampleJob,
  sampleTimeMs,
} from '../../testing/samples.ts';

const running = (change: Partial<Job> = {}): JobEvent => ({
  type: 'job',
  job: sampleJob({
    state: 'running',
    step: 'reading files',
    progress: { phase: 'backup', part: null, files: 10, filesTotal: 20, bytes: 1024, bytesTotal: 2048 },
    ...change,
  }),
});
const over = (change: Partial<Job> = {}): JobEvent => ({
  type: 'job',
  job: sampleJob({ state: 'done', finishedAtMs: sampleTimeMs + 2_500, ...change }),
});
const logged = (message: string, level: LogLine['level'] = 'info'): JobEvent => ({
  type: 'log',
  line: { timeMs: sampleTimeMs, level, message },
});

const failed = {
  state: 'failed',
  error: { code: 'storage-full', message: 'The vault is full.', hint: 'Make room.' },
} as const;

async function* send(...events: JobEvent[]): AsyncGenerator<JobEvent> {
  yield* events;
}

function answers(change: Answers = {}): Answers {
  return {
    'environment.list': () => ({ environments: [sampleEnvironment('guestbook')] }),
    'backup.create': () => ({ job: sampleJob(), backupId: sampleBackupId, replaces: [] }),
    'backup.restore': () => ({ job: sampleJob({ kind: 'restore' }) }),
    'backup.deleteSeveral': () => ({ job: sampleJob({ kind: 'delete' }) }),
    'backup.get': () => sampleBackup(),
    'backup.list': () => ({ backups: [sampleBackupSummary()], next: null }),
    'job.events': () => send(running(), over()),
    'job.get': () => sampleJob({ state: 'running' }),
    ...change,
  };
}

describe('backup:accept', () => {
  it.each([
    ['uploads is gone.', 'bak_0123456789abcdef counts from now on. It was doubted: uploads is gone.\n'],
    [null, 'Nobody doubts bak_0123456789abcdef.\n'],
  ])('of a backup with the doubt %s', async (doubt, told) => {
    await using server = await ProtocolServer.start(
      answers({ 'backup.get': () => sampleBackup({ doubt }), 'backup.accept': () => sampleBackup() }),
    );
    const { status, notes } = await cliRun(['backup:accept', sampleBackupId], { server });
    expect({ status, notes }).toEqual({ status: 0, notes: told });
  });
});

describe('backup:create', () => {
  it('says beforehand what it takes the place of', async () => {
    const oldest = { id: sampleBackupId, createdAtMs: sampleTimeMs, description: 'before 2.0' };
    const replaces = [{ ...oldest, why: '2 newer manual ones are ready' }];
    await using server = await ProtocolServer.start(
      answers({ 'backup.create': () => ({ job: sampleJob(), backupId: sampleBackupId, replaces }) }),
    );
    const { notes } = await cliRun(['backup:create'], { server });
    expect(notes).toMatch(
      /^Once it is ready, bak_0123456789abcdef of 2026-11-2\d \d\d:\d\d, "before 2.0" is removed: 2 newer manual ones are ready\.$/m,
    );
  });

  it('prints the id alone, everything else on standard error', async () => {
    await using server = await ProtocolServer.start(answers());
    const words = [
      'backup:create',
      '--component',
      'db',
      '--component',
      'web',
      '--description',
      'x',
      '--retention',
      '30d',
      '--allow-empty',
    ];
    const { status, output, notes } = await cliRun(words, { server });
    expect({ status, output }).toEqual({ status: 0, output: `${sampleBackupId}\n` });
    expect(server.received.find(({ name }) => name === 'backup.create')).toMatchObject({
      params: { environment: sampleEnvironment('guestbook').id },
      body: { components: ['db', 'web'], description: 'x', retention: '30d', allowEmpty: true },
    });
    expect(notes).toContain('reading files\n');
    expect(notes).toContain(
      `Backup ${sampleBackupId} of guestbook is ready: 2 parts, 1,234 files, 3.0 MiB, 977 KiB new in the vault, paused for 85 ms, 2.5 s.\n`,
    );
  });

  it('with --no-wait it returns at once', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, output, notes } = await cliRun(['backup:create', 'guestbook', '--no-wait'], { server });
    expect({ status, output }).toEqual({ status: 0, output: `${sampleBackupId}\n` });
    expect(notes).toContain('holdfast job:watch job_0123456789abcdef');
    expect(server.received.map(({ name }) => name)).toEqual(['backup.create']);
  });

  it.each([
    [
      'warnings',
      { state: 'warnings', warnings: ['web:/uploads/x: vanished'] },
      3,
      'warning: web:/uploads/x: vanished',
    ],
    ['failed', failed, 1, 'error[storage-full]: The vault is full. Make room.'],
    [
      'failed with a kind',
      { ...failed, error: { code: 'mount-needs-container', message: 'No.' } },
      6,
      'error[mount-needs-container]: No.',
    ],
    [
      'failed with an unknown code',
      { ...failed, error: { code: 'of-the-future', message: 'No.' } },
      1,
      'error[of-the-future]: No.',
    ],
    ['cancelled', { state: 'cancelled' }, 130, 'error[interrupted]: Job job_0123456789abcdef was cancelled.'],
  ] as const)('a job that ends as %s', async (_what, end, status, note) => {
    const job: Partial<Job> = { ...end, warnings: 'warnings' in end ? [...end.warnings] : [] };
    await using server = await ProtocolServer.start(
      answers({ 'job.events': () => send(running(), over(job)) }),
    );
    const result = await cliRun(['backup:create', 'guestbook'], { server });
    expect(result.status).toBe(status);
    expect(result.notes).toContain(`${note}\n`);
    expect(result.output).toBe(status === 3 ? `${sampleBackupId}\n` : '');
  });

  it('tells a warning once, and the reason of a failure once', async () => {
    const events = (): AsyncGenerator<JobEvent> =>
      send(
        logged('x: vanished', 'warn'),
        logged('Could not thaw.', 'error'),
        logged('The vault is full.', 'error'),
        over({ ...failed, warnings: ['x: vanished', 'y: vanished'] }),
      );
    await using server = await ProtocolServer.start(answers({ 'job.events': events }));
    const { notes } = await cliRun(['backup:create', 'guestbook'], { server });
    expect(notes.split('\n').slice(1)).toEqual([
      'warning: x: vanished',
      'error: Could not thaw.',
      'warning: y: vanished',
      'error[storage-full]: The vault is full. Make room.',
      '',
    ]);
  });

  it('with --format json prints the job, and a failure as an object', async () => {
    await using server = await ProtocolServer.start(answers({ 'job.events': () => send(over(failed)) }));
    const { status, output, notes } = await cliRun(['backup:create', 'guestbook', '--format', 'json'], {
      server,
    });
    expect(status).toBe(1);
    expect(JSON.parse(output)).toMatchObject({ backupId: sampleBackupId, job: { state: 'failed' } });
    expect(JSON.parse(notes)).toEqual(failed.error);
  });

  it('follows on when the stream breaks, and shows no log line twice', async () => {
    let connections = 0;
    const events = async function* (): AsyncGenerator<JobEvent> {
      connections += 1;
      yield running();
      yield logged('Frozen.');
      if (connections === 1) throw new Error('the connection breaks');
      if (connections === 2) return;
      yield logged('Thawed.', 'warn');
      yield over();
    };
    await using server = await ProtocolServer.start(answers({ 'job.events': events }));
    const { status, notes } = await cliRun(['backup:create', 'guestbook'], { server });
    expect(status).toBe(0);
    expect(connections).toBe(3);
    expect(notes.match(/^Frozen\.$/gm)).toHaveLength(1);
    expect(notes.match(/^warning: Thawed\.$/gm)).toHaveLength(1);
  });

  it('follows on when the server is started anew', async () => {
    await using server = await ProtocolServer.start(
      answers({
        'job.events': async function* () {
          yield running();
          await delay(10_000);
        },
      }),
    );
    const { port } = server;
    await using second = new ProtocolServer(answers());
    const restarted = delay(200).then(async () => {
      await server.stop();
      await delay(500);
      await second.listen(port);
    });
    const { status } = await cliRun(['backup:create', 'guestbook'], { server });
    expect(status).toBe(0);
    await restarted;
  });

  it('ends when the server refuses to tell more', async () => {
    const events = (): AsyncGenerator<JobEvent> => {
      throw new ApiError(404, { code: 'job-unknown', message: 'There is no such job.' });
    };
    await using server = await ProtocolServer.start(answers({ 'job.events': events }));
    expect((await cliRun(['backup:create', 'guestbook'], { server })).status).toBe(4);
  });
});

describe('Ctrl-C while waiting', () => {
  /** Interrupts the run as often as told, each time when the note before it was seen. */
  function interrupting(...when: RegExp[]): Pick<CliRunOptions, 'interrupts' | 'onNote'> {
    const interrupts = new Interrupts();
    return {
      interrupts,
      onNote: (text) => {
        if (when[0]?.test(text)) {
          when.shift();
          setImmediate(() => interrupts.interrupt());
        }
      },
    };
  }

  it('asks to cancel the job, and waits for its end', async () => {
    const cancelled = Promise.withResolvers<void>();
    await using server = await ProtocolServer.start(
      answers({
        'job.events': async function* () {
          yield running();
          await cancelled.promise;
          yield over({ state: 'cancelled' });
        },
        'job.cancel': () => {
          cancelled.resolve();
          return sampleJob({ cancelRequested: true });
        },
      }),
    );
    const { status, notes } = await cliRun(['backup:create', 'guestbook'], {
      server,
      ...interrupting(/reading files/),
    });
    expect(status).toBe(130);
    expect(notes).toContain('Asking the server to cancel the job.');
    expect(notes).toContain('error[interrupted]: Job job_0123456789abcdef was cancelled.');
  });

  it('leaves at the second, and says how to go on', async () => {
    await using server = await ProtocolServer.start(
      answers({
        'job.events': async function* () {
          yield running();
          await delay(20_000);
        },
        'job.cancel': () => {
          throw new ApiError(409, { code: 'job-not-cancellable', message: 'It is too late to cancel.' });
        },
      }),
    );
    const { status, notes } = await cliRun(['backup:create', 'guestbook'], {
      server,
      ...interrupting(/reading files/, /too late/),
    });
    expect(status).toBe(130);
    expect(notes).toContain('holdfast job:watch job_0123456789abcdef');
  });

  it('leaves at once in job:watch, and cancels nothing', async () => {
    await using server = await ProtocolServer.start(
      answers({
        'job.events': async function* () {
          yield running();
          await delay(20_000);
        },
      }),
    );
    const { status } = await cliRun(['job:watch', 'job_0123456789abcdef'], {
      server,
      ...interrupting(/reading files/),
    });
    expect(status).toBe(130);
    expect(server.received.map(({ name }) => name)).not.toContain('job.cancel');
  });
});

describe('backup:restore', () => {
  it('refuses without --yes where nobody can be asked, and says what it would overwrite', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, notes } = await cliRun(['backup:restore'], { server });
    expect(status).toBe(2);
    expect(notes).toContain('error[confirmation-needed]');
    expect(notes).toContain('Environment (Compose project) guestbook: 2 parts will go back to 2026-');
    expect(notes).toContain('guestbook_db (db:/var/lib/postgresql/data, 1,214 files, 1.1 MiB)');
    expect(server.received.map(({ name }) => name)).not.toContain('backup.restore');
  });

  it('restores the newest ready backup, or some components of one', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, notes } = await cliRun(['backup:restore', '--yes', '--component', 'web'], { server });
    expect(status).toBe(0);
    expect(server.received.find(({ name }) => name === 'backup.list')?.query).toMatchObject({
      status: 'ready',
      notKind: 'safety',
      limit: 1,
    });
    expect(server.received.find(({ name }) => name === 'backup.restore')?.body).toEqual({
      components: ['web'],
      safety: true,
    });
    expect(notes).toContain(': 1 part will go back');
    expect(notes).not.toContain('guestbook_db');
    expect(notes).toMatch(/guestbook is back at bak_0123456789abcdef of 2026[-0-9]+ [0-9:]+, in 2\.5 s\.\n/);
  });

  it('says what it kept, and with --undo goes back to that', async () => {
    const kept = sampleBackupSummary({ kind: 'safety', jobId: sampleJob().id });
    await using server = await ProtocolServer.start(
      answers({ 'backup.list': () => ({ backups: [kept], next: null }) }),
    );
    const { status, notes } = await cliRun(['backup:restore', '--undo', '--yes'], { server });
    expect(status).toBe(0);
    expect(server.received.find(({ name }) => name === 'backup.list')?.query).toMatchObject({
      kind: 'safety',
      status: 'ready',
      limit: 1,
    });
    expect(notes).toContain(
      `What was there is kept as ${kept.id} for 7 days: \`holdfast backup:restore --undo\` brings it back.\n`,
    );
  });

  it('with --undo refuses a backup besides, and where nothing was kept', async () => {
    await using server = await ProtocolServer.start(
      answers({ 'backup.list': () => ({ backups: [], next: null }) }),
    );
    const both = await cliRun(['backup:restore', 'bak_01', '--undo', '--yes'], { server });
    expect(both).toMatchObject({ status: 2, notes: expect.stringContaining('error[usage-invalid]') });
    const none = await cliRun(['backup:restore', '--undo', '--yes'], { server });
    expect(none).toMatchObject({ status: 4, notes: expect.stringContaining('error[backup-unknown]') });
    expect(none.notes).toContain('has kept what it overwrote');
  });

  it('with --no-safety says that what is overwritten is lost', async () => {
    await using server = await ProtocolServer.start(answers());
    const { notes } = await cliRun(['backup:restore', '--no-safety', '--yes'], { server });
    expect(notes).toContain('what was written since is lost:');
    expect(server.received.find(({ name }) => name === 'backup.restore')?.body).toEqual({ safety: false });
  });

  it('with --path restores only that', async () => {
    await using server = await ProtocolServer.start(answers());
    const words = [
      'backup:restore',
      '--yes',
      '--path',
      'guestbook_uploads/2026/a.png',
      '--path',
      'guestbook_db',
    ];
    const { notes } = await cliRun(words, { server });
    expect(notes).toContain('guestbook: 2 paths will go back to 2026-');
    expect(notes).toContain('  guestbook_uploads/2026/a.png (web:/uploads/2026/a.png)\n');
    expect(server.received.find(({ name }) => name === 'backup.restore')?.body).toEqual({
      paths: [
        { part: 'guestbook_uploads', path: '2026/a.png' },
        { part: 'guestbook_db', path: '' },
      ],
      safety: true,
    });
    const both = await cliRun([...words, '--component', 'web'], { server });
    expect(both).toMatchObject({ status: 2, notes: expect.stringContaining('error[usage-invalid]') });
    const none = await cliRun(['backup:restore', '--yes', '--path', 'none/a'], { server });
    expect(none).toMatchObject({ status: 4, notes: expect.stringContaining('error[path-unknown]') });
  });

  it('with --target names both environments, and what of the target is overwritten', async () => {
    const staging = sampleEnvironmentDetail('staging');
    await using server = await ProtocolServer.start(
      answers({
        'environment.get': () => staging,
        'job.events': () => send(over({ kind: 'restore', environmentName: 'staging' })),
      }),
    );
    const words = ['backup:restore', '-e', 'guestbook', '--target', 'staging'];
    const asked = await cliRun(words, { server });
    expect(asked.status).toBe(2);
    expect(asked.notes).toContain(
      'Environment (Compose project) staging on local: 2 parts will become what another one, guestbook,',
    );
    expect(asked.notes).toContain('(web:/uploads, 20 files, 1.9 MiB) → staging_uploads\n');
    expect(asked.notes).toContain('→ nowhere: the target has nothing that fits\n');
    const { status, notes } = await cliRun([...words, '--yes'], { server });
    expect(status).toBe(0);
    expect(server.received.find(({ name }) => name === 'backup.restore')?.body).toEqual({
      target: staging.id,
      safety: true,
    });
    expect(notes).toMatch(/staging has what guestbook had at bak_0123456789abcdef of 2026/);
  });

  it('with --target of its own environment is a restore like any other', async () => {
    await using server = await ProtocolServer.start(
      answers({ 'environment.get': () => sampleEnvironmentDetail('guestbook') }),
    );
    const { notes } = await cliRun(['backup:restore', '--target', 'guestbook', '--yes'], { server });
    expect(notes).toContain('Environment (Compose project) guestbook: 2 parts will go back to 2026-');
    expect(server.received.find(({ name }) => name === 'backup.restore')?.body).toEqual({ safety: true });
  });

  it('with --undo and a target goes back to what the target had', async () => {
    await using server = await ProtocolServer.start(
      answers({ 'environment.get': () => sampleEnvironmentDetail('guestbook') }),
    );
    await cliRun(['backup:restore', '--undo', '--target', 'staging', '--yes'], { server });
    expect(server.received.find(({ name }) => name === 'backup.list')?.query).toMatchObject({
      environment: 'staging',
      kind: 'safety',
    });
  });

  it('knows the components of the backup', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, notes } = await cliRun(['backup:restore', '--yes', '--component', 'cache'], { server });
    expect(status).toBe(4);
    expect(notes).toContain(
      'error[component-unknown]: Backup bak_0123456789abcdef has nothing of a component "cache". It has: web, db.',
    );
  });

  it('with --no-wait prints the job', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, output } = await cliRun(['backup:restore', 'bak_01', '--yes', '--no-wait'], { server });
    expect({ status, output }).toEqual({ status: 0, output: 'job_0123456789abcdef\n' });
  });
});

describe('backup:delete', () => {
  it('refuses without --yes where nobody can be asked', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status } = await cliRun(['backup:delete', sampleBackupId], { server });
    expect(status).toBe(2);
    expect(server.received.map(({ name }) => name)).toEqual(['backup.get']);
  });

  it('deletes nothing unless all are there', async () => {
    await using server = await ProtocolServer.start(
      answers({
        'backup.get': ({ params }) => {
          if (params.backup === sampleBackupId) return sampleBackup();
          throw new ApiError(404, { code: 'backup-unknown', message: 'There is no such backup.' });
        },
      }),
    );
    const { status } = await cliRun(['backup:delete', sampleBackupId, 'bak_none', '--yes'], { server });
    expect(status).toBe(4);
    expect(server.received.map(({ name }) => name)).not.toContain('backup.deleteSeveral');
  });

  it('with --all deletes all of an environment, but what is under way, once its name was typed or with --yes', async () => {
    const second = { ...sampleBackup(), id: 'bak_2222222222222222' as never, status: 'running' as const };
    await using server = await ProtocolServer.start(
      answers({
        'backup.list': () => ({ backups: [sampleBackup(), second], next: null }),
        'backup.deleteSeveral': () => ({ job: sampleJob({ kind: 'delete' }) }),
      }),
    );
    const refused = await cliRun(['backup:delete', '--all', '-e', 'shop'], { server });
    expect(refused.status).toBe(2);
    const both = await cliRun(['backup:delete', sampleBackupId, '--all', '--yes'], { server });
    expect(both.status).toBe(2);
    expect((await cliRun(['backup:delete', '--yes'], { server })).status).toBe(2);
    expect(server.received.map(({ name }) => name)).not.toContain('backup.deleteSeveral');
    const { notes } = await cliRun(['backup:delete', '--all', '-e', 'shop', '--yes'], { server });
    expect(notes).toContain(`Deleted ${sampleBackupId}.`);
    expect(notes).not.toContain(`Deleted ${second.id}.`);
  });

  it('deletes those of an environment in one job', async () => {
    const second = { ...sampleBackup(), id: 'bak_2222222222222222' as never };
    await using server = await ProtocolServer.start(
      answers({
        'backup.get': ({ params }) => (params.backup === sampleBackupId ? sampleBackup() : second),
      }),
    );
    const { status, notes } = await cliRun(['backup:delete', sampleBackupId, second.id, '--yes'], { server });
    expect(status).toBe(0);
    const asked = server.received.filter(({ name }) => name === 'backup.deleteSeveral');
    expect(asked.map(({ body }) => body)).toEqual([{ backups: [sampleBackupId, second.id] }]);
    expect(notes).toContain(`Deleted ${sampleBackupId}.\nDeleted ${second.id}.\n`);
  });

  it('deletes what is pinned only by its whole id; --all leaves it, and says how many', async () => {
    const pinned = { ...sampleBackup(), pinReason: 'before the move' };
    await using server = await ProtocolServer.start(
      answers({
        'backup.get': () => pinned,
        'backup.list': () => ({ backups: [{ ...sampleBackupSummary(), pinReason: 'kept' }], next: null }),
      }),
    );
    const all = await cliRun(['backup:delete', '--all', '-e', 'shop', '--yes'], { server });
    expect(all.status).toBe(0);
    expect(all.notes).toContain('Left alone, for they are pinned: 1 backup.');
    const begun = await cliRun(['backup:delete', 'bak_01', '--yes'], { server });
    expect(begun.status).toBe(6);
    expect(begun.notes).toContain('error[backup-pinned]');
    expect(server.received.map(({ name }) => name)).not.toContain('backup.deleteSeveral');
    expect((await cliRun(['backup:delete', sampleBackupId, '--yes'], { server })).status).toBe(0);
  });

  it('goes on with another environment after one that fails, and ends with its status', async () => {
    const second = {
      ...sampleBackup(),
      id: 'bak_2222222222222222' as never,
      environmentId: 'env_2222222222222222' as never,
    };
    await using server = await ProtocolServer.start(
      answers({
        'backup.get': ({ params }) => (params.backup === sampleBackupId ? sampleBackup() : second),
        'backup.deleteSeveral': ({ body }) => {
          if (!JSON.stringify(body).includes(sampleBackupId)) return { job: sampleJob({ kind: 'delete' }) };
          throw new ApiError(409, { code: 'environment-busy', message: 'It is busy.' });
        },
      }),
    );
    const { status, notes } = await cliRun(['backup:delete', sampleBackupId, second.id, '--yes'], { server });
    expect(status).toBe(6);
    expect(notes).toContain(`Deleted ${second.id}.`);
  });
});

it('backup:log prints time, level and message', async () => {
  await using server = await ProtocolServer.start({
    'backup.log': () => ({ log: [{ timeMs: sampleTimeMs, level: 'warn', message: 'x\u001b[2J' }] }),
  });
  const { output } = await cliRun(['backup:log', sampleBackupId, '-c', 'level,message'], { server });
  expect(output).toBe('LEVEL  MESSAGE\nwarn   x\\x1b[2J\n');
});
