import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HoldfastError, systemClock } from '@holdfast/base';
import { type BackupTask, backupIdSchema } from '@holdfast/protocol';
import { describe, expect, test, vi } from 'vitest';
import { createIds } from '../../../catalog/ids.ts';
import { silentLogger } from '../../../config/logger.ts';
import { createLeftMovers } from '../../../runner/left-movers.ts';
import { spawnMover } from '../../../runner/mover-process-program.ts';
import { createServerPlace } from '../../../runner/server-place.ts';
import { createStartMover } from '../../../runner/start-mover.ts';
import { createFixtures } from '../../../testing/fixtures.ts';
import { silentEndings } from '../../../testing/silent-endings.ts';
import { temporaryDirectory } from '../../../testing/temporary-directory.ts';
import { sqliteTestDatabase } from '../../../testing/test-catalogs.ts';
import { createJobExecutor } from '../../jobs/execution/job-executor.ts';
import { createTaskRuns } from '../../jobs/execution/task-runs.ts';
import { createFreezeStore } from '../../jobs/freeze-store.ts';
import { createLeaseStore } from '../../jobs/lease-store.ts';
import { createLogStore } from '../../jobs/log-store.ts';
import { createJobStore } from '../../jobs/store.ts';
import { createTaskStore } from '../../jobs/task-store.ts';
import { createBackupStore } from '../store.ts';
import { createBackupHandler } from './backup-handler.ts';

const moverMain = fileURLToPath(new URL('../../../../../mover/src/main.ts', import.meta.url));

/** A job whose server is gone, with a real mover, and the server that comes back. */
async function setUp() {
  const stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await temporaryDirectory());
  const catalog = stack.use(await stack.use(await sqliteTestDatabase()).open(systemClock));
  const clock = systemClock;
  const ids = createIds();
  const fixtures = createFixtures(catalog, clock);
  const [environment] = await fixtures.environments('shop');
  if (environment === undefined) throw new Error('No environment.');
  const queued = await fixtures.backup(environment);
  const leases = createLeaseStore({ catalog, clock });
  const leased = await leases.take('here/zero', 60_000);
  if (leased === undefined) throw new Error('No job.');
  const backupId = backupIdSchema.parse(queued.backupId);
  const source = join(folder, 'source');
  await mkdir(source);
  await writeFile(join(source, 'file'), 'contents');

  const taskId = ids.task();
  const eventsPath = join(folder, `${taskId}.jsonl`);
  const tasks = createTaskStore(catalog, clock);
  await tasks.create({ id: taskId, jobId: queued.id, epoch: leased.lease.epoch, kind: 'backup', eventsPath });
  const task: BackupTask = {
    version: 1,
    kind: 'backup',
    taskId,
    jobId: queued.id,
    epoch: leased.lease.epoch,
    eventsPath,
    scratchPath: folder,
    repository: { location: join(folder, 'repository'), password: 'secret' },
    initialize: { recoveryPassword: 'recovery' },
    manifest: {
      version: 1,
      revision: 1,
      backupId,
      kind: 'manual',
      mode: 'live',
      description: '',
      environment: { id: environment.id, name: 'shop', type: 'production', node: 'local', folder: null },
      createdAtMs: clock.now(),
      expiresAtMs: null,
      createdBy: 'tester',
      policy: null,
      pinReason: null,
    },
    parts: [
      {
        name: 'files',
        source: { kind: 'bind', path: source },
        mountPoints: [],
        path: source,
        parentSnapshotId: null,
        mustNotBeEmpty: false,
      },
    ],
    commands: [],
    code: null,
    images: [],
  };
  const startMover = createStartMover({
    inProcess: () => spawnMover({ node: process.execPath, main: moverMain }),
    inContainer: () => {
      throw new Error('Nothing needs a container.');
    },
  });
  const connect = async (): Promise<never> => {
    throw new HoldfastError('docker-unreachable', 'There is no engine.');
  };
  const leftMovers = createLeftMovers({ isInContainer: false, engines: async () => [] });
  const mover = startMover(task, () => {}, null);
  stack.defer(async () => await mover.kill());

  const backups = createBackupStore({ catalog, clock });
  const jobs = createJobStore({ catalog, clock, ids });
  const taskRuns = createTaskRuns({ tasks, ids, startMover, leftMovers, eventsFolder: folder });
  const handler = createBackupHandler({
    environments: { survey: async () => Promise.reject(new Error('Nothing was frozen.')) },
    repositories: {
      access: async () => Promise.reject(new Error('Nothing is started anew.')),
      markInitialized: async () => {},
    },
    backups,
    freezes: createFreezeStore(catalog, clock),
    taskRuns,
    serverPlace: createServerPlace({ connect, image: null, version: '0', folder }),
    endpoints: [],
    holdLimitMs: 60_000,
    codeLimits: { entries: 1000, bytes: 1_000_000 },
    compareCompose: async () => null,
    clock,
  });
  const executor = createJobExecutor({
    catalog,
    leases,
    logs: createLogStore(catalog),
    taskRuns,
    handlers: {
      backup: handler,
      import: handler,
      adopt: handler,
      restore: handler,
      preview: handler,
      delete: handler,
      revise: handler,
      prune: handler,
      inspect: handler,
    },
    endings: silentEndings,
    place: 'here',
    instance: 'one',
    concurrency: 1,
    times: { leaseMs: 60_000, renewMs: 1000 },
    stopLimitMs: 1000,
    clock,
    logger: silentLogger,
  });
  stack.defer(async () => await executor.stop());
  const recovered = async () => {
    await executor.recover();
    return await vi.waitUntil(
      async () => {
        const job = await jobs.get(queued.id);
        return job?.state === 'running' ? undefined : { job, backup: await backups.get(backupId) };
      },
      { timeout: 25_000, interval: 20 },
    );
  };
  return { mover, recovered, dispose: stack };
}

describe('a server that comes back to a backup', () => {
  test('whose manifest is written calls it ready', async () => {
    const { mover, recovered, dispose } = await setUp();
    await using _ = dispose;
    mover.send({ type: 'go' });
    await mover.waitFor('sealed');
    mover.send({ type: 'commit' });
    const { manifestSnapshotId } = await mover.waitFor('committed');
    await mover.kill();
    const { job, backup } = await recovered();
    expect(job).toMatchObject({ state: 'done', epoch: 2 });
    expect(backup).toMatchObject({
      status: 'ready',
      manifestSnapshotId,
      bytes: 8,
      parts: [{ name: 'files' }],
    });
  });

  test('whose mover was just told to commit waits for it', async () => {
    const { mover, recovered, dispose } = await setUp();
    await using _ = dispose;
    mover.send({ type: 'go' });
    await mover.waitFor('sealed');
    mover.send({ type: 'commit' });
    expect((await recovered()).backup).toMatchObject({ status: 'ready' });
    expect((await mover.exited).status).toBe(0);
  });

  test('that was not told to commit fails it, and leaves no mover', async () => {
    const { mover, recovered, dispose } = await setUp();
    await using _ = dispose;
    mover.send({ type: 'go' });
    await mover.waitFor('sealed');
    const recovering = recovered();
    mover.send({ type: 'cancel' });
    const { job, backup } = await recovering;
    expect(job).toMatchObject({ state: 'failed', error: { code: 'server-lost' } });
    expect(backup).toMatchObject({ status: 'failed', parts: [] });
    expect((await mover.exited).status).toBe(130);
  });
});
