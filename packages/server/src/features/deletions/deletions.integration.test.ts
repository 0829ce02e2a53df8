import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, sleep, systemClock } from '@holdfast/base';
import { expect, test } from 'vitest';
import { openCatalog } from '../../catalog/open-catalog.ts';
import { compose } from '../../composition/compose.ts';
import { loadConfig } from '../../config/load-config.ts';
import { silentLogger } from '../../config/logger.ts';
import { createSealer } from '../../secrets/sealer.ts';
import { serverVersion } from '../../server-version.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { openTestProject, volumeMount } from '../../testing/test-project.ts';

const graceMs = 7 * 24 * 3_600_000;
const caller = { name: 'tester', rights: [] };
const moverMain = fileURLToPath(new URL('../../../../mover/src/main.ts', import.meta.url));

/** A server in this process on the engine of DOCKER_HOST, whose clock can be put ahead. */
async function openServer() {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  let aheadMs = 0;
  const clock: Clock = {
    now: () => systemClock.now() + aheadMs,
    elapsed: () => systemClock.elapsed() + aheadMs,
  };
  const config = await loadConfig({
    flags: { data: directory.path, 'docker-host': process.env.DOCKER_HOST ?? '' },
    environment: {},
    isRoot: false,
    workingDirectory: directory.path,
  });
  const { dataDirectory } = config;
  await mkdir(join(dataDirectory, 'tasks'), { recursive: true });
  const catalog = stack.use(await openCatalog({ dataDirectory, url: null, clock, logger: silentLogger }));
  const server = await compose({
    ...{ config, catalog, clock, logger: silentLogger, version: serverVersion(), moverMain },
    ...{ sealer: createSealer(randomBytes(32)), serverId: '0123456789abcdef', instance: 'test' },
    dataProcess: { handOver: () => {}, [Symbol.asyncDispose]: async () => {} },
  });
  stack.defer(async () => await server.notifications.stop());
  stack.defer(async () => await server.executor.stop());
  server.executor.start();
  const { handlers } = server;
  const call = { file: (async function* () {})(), caller, signal: new AbortController().signal };
  const common = { ...call, params: undefined, query: undefined, body: undefined };

  async function settled(): Promise<void> {
    for (;;) {
      const { jobs } = await handlers['job.list']({ ...common, query: {} });
      if (jobs.every(({ state }) => state !== 'queued' && state !== 'running')) return;
      await sleep(50);
    }
  }

  return {
    ...server,
    common,
    settled,
    ahead: (durationMs: number) => {
      aheadMs += durationMs;
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

function restic(repository: string, passwordFile: string, ...args: readonly string[]): string {
  const program = (process.env.HOLDFAST_TEST_RESTIC ?? 'restic').split(':').at(-1) ?? 'restic';
  const words = ['-r', repository, '--password-file', passwordFile, '--no-cache', ...args];
  return execFileSync(program, words, { encoding: 'utf8' });
}

function sizeOf(repository: string): number {
  return readdirSync(join(repository, 'data'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

test('an environment that was deleted loses its backups once the grace is over, and is gone when Docker has it no more', async () => {
  await using project = await openTestProject();
  await using server = await openServer();
  const { handlers, common, settled, ahead, carryOutDeletions, maintenance } = server;
  const data = await project.volume('data');
  writeFileSync(join(await project.pathOf(data), 'file'), randomBytes(300_000));
  await project.service('web', { mounts: [volumeMount(data, '/data')] });
  const environment = { ...common, params: { environment: project.name } };
  const take = async (): Promise<string> => {
    const { backupId } = await handlers['backup.create']({ ...environment, body: { mode: 'live' } });
    await settled();
    return backupId;
  };
  const [, second] = [await take(), await take()];
  const backup = await handlers['backup.get']({ ...common, params: { backup: second } });
  expect(backup.status).toBe('ready');
  const { repository, passwordFile } = backup;
  const snapshots = () => JSON.parse(restic(repository, passwordFile, 'snapshots', '--json', '--no-lock'));
  const before = snapshots().length;
  expect(before).toBeGreaterThan(3);

  await handlers['environment.delete']({ ...environment, query: {} });
  await expect(take()).rejects.toMatchObject({ code: 'environment-deleted' });
  ahead(graceMs - 60_000);
  await carryOutDeletions();
  await settled();
  expect(snapshots()).toHaveLength(before);

  ahead(60_000);
  await carryOutDeletions();
  await settled();
  expect(snapshots()).toEqual([]);
  await maintenance.queueDue();
  await settled();
  expect(sizeOf(repository)).toBe(0);
  restic(repository, passwordFile, 'check', '--read-data', '--no-lock');

  // What Docker has is not found anew.
  await carryOutDeletions();
  const known = async () =>
    (await handlers['environment.list'](common)).environments.filter(({ name }) => name === project.name);
  expect(await known()).toMatchObject([{ state: 'active', deletion: { untilMs: expect.any(Number) } }]);
  // An empty repository is a sound one.
  ahead(graceMs);
  await maintenance.queueDue();
  await settled();
  const { jobs } = await handlers['job.list']({ ...common, query: {} });
  expect(jobs.filter(({ state }) => state !== 'done')).toEqual([]);
  expect(jobs.map(({ kind }) => kind)).toContain('inspect');

  await project.down();
  await handlers['environment.list'](common);
  await carryOutDeletions();
  expect(await known()).toEqual([]);
  expect(existsSync(join(repository, 'config'))).toBe(true);
  expect(snapshots()).toEqual([]);
});
