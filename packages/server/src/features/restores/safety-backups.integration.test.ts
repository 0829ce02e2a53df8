import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '@holdfast/base';
import type { BackupSummary } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { type DockerServer, openDockerServer } from '../../testing/docker-server.ts';
import {
  barSwap,
  expectAsBefore,
  expectStopped,
  readyBackup,
  restore,
  setUp,
  startRestore,
  stateOf,
  unfinishedRestore,
} from '../../testing/restoring.ts';
import { openTestProject, type TestProject, volumeMount } from '../../testing/test-project.ts';

async function safetyBackups(server: DockerServer, project: TestProject): Promise<readonly BackupSummary[]> {
  const query = { environment: project.name, kind: 'safety' as const };
  return (await server.client.call('backup.list', { query })).backups;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(2);
}

/** The newest. */
async function keptBy(server: DockerServer, project: TestProject): Promise<BackupSummary> {
  const [kept] = await safetyBackups(server, project);
  if (kept === undefined) throw new Error('Nothing was kept.');
  expect(kept).toMatchObject({ kind: 'safety', mode: 'consistent', status: 'ready' });
  return kept;
}

describe('a safety backup', () => {
  test('is the exact state at the stop: restoring it undoes the restore, and so on', async () => {
    await using project = await openTestProject();
    await using server = await openDockerServer();
    const data = await project.volume('data');
    const path = await project.pathOf(data);
    const read = (file: string): string => readFileSync(join(path, file), 'utf8').trim();
    // It writes until its very end.
    await project.service('web', {
      mounts: [volumeMount(data, '/data')],
      script: "trap 'echo last >/data/last; exit 0' TERM; while :; do date +%s%N >/data/now; done",
    });
    writeFileSync(join(path, 'file'), 'old');
    const backup = await readyBackup(server, project);
    writeFileSync(join(path, 'file'), 'new');
    writeFileSync(join(path, 'extra'), 'extra');
    const job = await restore(server, backup);
    expect(job).toMatchObject({ state: 'done', error: null, warnings: [] });
    expect([read('file'), readdirSync(path).includes('extra')]).toEqual(['old', false]);

    const kept = await keptBy(server, project);
    expect(kept).toMatchObject({ jobId: job.id, description: `Before the restore of ${backup}` });
    expect((kept.expiresAtMs ?? 0) - kept.createdAtMs).toBe(7 * 86_400_000);
    expect(await restore(server, kept.id)).toMatchObject({ state: 'done', warnings: [] });
    expect([read('file'), read('extra'), read('last')]).toEqual(['new', 'extra', 'last']);
    const keptByUndo = await keptBy(server, project);
    expect(keptByUndo.id).not.toBe(kept.id);
    expect(await restore(server, keptByUndo.id)).toMatchObject({ state: 'done' });
    expect([read('file'), readdirSync(path).includes('extra')]).toEqual(['old', false]);
  });

  test('is not taken where that is asked for, nor where there is nothing yet', async () => {
    const { project, server, data, backup, contents, dispose } = await setUp();
    await using _ = dispose;
    const job = await startRestore(server, backup, undefined, { safety: false });
    expect(await server.ended(job)).toMatchObject({ state: 'done' });
    const query = { of: 'restore' as const };
    const { log } = await server.client.call('backup.log', { params: { backup }, query });
    expect(log).toContainEqual(expect.objectContaining({ message: expect.stringContaining('is not kept') }));
    await project.down({ volumes: true });
    const again = await startRestore(server, backup, undefined, { code: false });
    expect(await server.ended(again)).toMatchObject({ state: 'done' });
    expect(contents()).toBe('old');
    expect(await safetyBackups(server, project)).toEqual([]);
    await project.docker.volumes.remove(data);
  });

  test('that cannot be taken ends the restore before anything is stopped', async () => {
    const { project, server, web, idle, backup, contents, dispose } = await setUp(2000);
    await using _ = dispose;
    const { startedAt } = (await project.docker.containers.inspect(web)).state;
    const job = await startRestore(server, backup);
    await server.reaches(job, 'Reading what will be overwritten');
    await until(() => server.moverPids().length >= 2);
    process.kill(server.moverPids().at(-1) ?? 0, 'SIGKILL');
    const failed = await server.ended(job);
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'mover-lost' } });
    expect(failed.error?.message).toContain('could not be kept');
    expect(failed.error?.hint).toContain('--no-safety');
    expect(contents()).toBe('new');
    await expectAsBefore(project, web, idle);
    expect((await project.docker.containers.inspect(web)).state.startedAt).toBe(startedAt);
    expect(await safetyBackups(server, project)).toEqual([]);
    expect(await restore(server, backup)).toMatchObject({ state: 'done' });
  });

  test('of an app that is down is taken beside the staging; where one of them ends, neither leaves anything', async () => {
    const { project, server, path, web, backup, contents, dispose } = await setUp(2000);
    await using _ = dispose;
    await project.docker.containers.stop(web, { graceSeconds: 0 });
    for (const killed of ['restore', 'safety'] as const) {
      const job = await startRestore(server, backup);
      await until(() => server.moverPids().length === 2);
      const pids = server.moverPids();
      process.kill((killed === 'restore' ? pids[0] : pids[1]) ?? 0, 'SIGKILL');
      const failed = await server.ended(job);
      expect(failed).toMatchObject({ state: 'failed', error: { code: 'mover-lost' } });
      expect(failed.error?.message.includes('could not be kept')).toBe(killed === 'safety');
      expect(contents()).toBe('new');
      expect(readdirSync(path)).toHaveLength(2001);
      expect((await stateOf(project, web)).isRunning).toBe(false);
      expect(await safetyBackups(server, project)).toEqual([]);
    }
    expect(await restore(server, backup)).toMatchObject({ state: 'done' });
    expect(contents()).toBe('old');
    expect(await restore(server, (await keptBy(server, project)).id)).toMatchObject({ state: 'done' });
    expect([contents(), (await stateOf(project, web)).isRunning]).toEqual(['new', false]);
  });

  test('undoes a restore that was cut off, and stays what it is meanwhile', async () => {
    const { project, server, path, web, idle, backup, contents, dispose } = await setUp(2000);
    await using _ = dispose;
    const job = await startRestore(server, backup);
    const clear = await barSwap(path);
    expect(await server.ended(job)).toMatchObject({ state: 'failed' });
    clear();
    await expectStopped(project, web, idle);
    const kept = await keptBy(server, project);
    expect(kept.jobId).toBe(job.id);
    expect(await restore(server, kept.id)).toMatchObject({ state: 'done', warnings: [] });
    expect([contents(), readdirSync(path).length]).toEqual(['new', 2001]);
    await expectAsBefore(project, web, idle);
    expect(await unfinishedRestore(server, project)).toBeNull();
    // What was partly old, partly new is nothing to go back to.
    expect((await keptBy(server, project)).id).toBe(kept.id);
  });

  test('of a server that dies meanwhile is forgotten, or taken over whole', async () => {
    const { project, server, web, idle, backup, contents, dispose } = await setUp(2000);
    await using _ = dispose;
    // Long enough to hold the movers where they are.
    const slow = await project.service('slow', { script: "trap 'sleep 2; exit 0' TERM; sleep 1000" });
    for (const step of ['Reading what will be overwritten', 'Keeping what will be overwritten']) {
      const job = await startRestore(server, backup);
      if (step.startsWith('Keeping')) {
        await server.reaches(job, 'Stopping the containers');
        server.signalMovers('SIGSTOP');
      }
      await server.reaches(job, step);
      await server.kill();
      server.signalMovers('SIGCONT');
      await server.start();
      expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'server-lost' } });
      expect(contents()).toBe('new');
      await expectAsBefore(project, web, idle);
      expect((await stateOf(project, slow)).isRunning).toBe(true);
      for (const { status } of await safetyBackups(server, project)) expect(status).toBe('ready');
    }
    const warning = `${project.name}-slow-1 is not in the backup: it stays stopped`;
    expect(await restore(server, backup)).toMatchObject({ state: 'warnings', warnings: [warning] });
    expect(contents()).toBe('old');
    expect((await stateOf(project, slow)).isRunning).toBe(false);
    const [kept] = await safetyBackups(server, project);
    expect(await restore(server, kept?.id ?? '')).toMatchObject({ state: 'done' });
    expect(contents()).toBe('new');
    expect((await stateOf(project, slow)).isRunning).toBe(true);
  });

  test('has what a backup command prints of what a restore command overwrites', async () => {
    await using project = await openTestProject();
    await using server = await openDockerServer();
    const data = await project.volume('data');
    const state = join(await project.pathOf(data), 'state');
    await project.service('db', {
      mounts: [volumeMount(data, '/data')],
      labels: {
        'holdfast.backup.command': 'cat /data/state',
        'holdfast.restore.command': 'cat >/data/state',
      },
    });
    writeFileSync(state, 'old');
    const backup = await readyBackup(server, project);
    writeFileSync(state, 'new');
    expect(await restore(server, backup)).toMatchObject({ state: 'done' });
    expect(readFileSync(state, 'utf8')).toBe('old');
    const [kept] = await safetyBackups(server, project);
    expect(kept).toMatchObject({ mode: 'live', status: 'ready', components: ['db'] });
    expect(await restore(server, kept?.id ?? '')).toMatchObject({ state: 'done' });
    expect(readFileSync(state, 'utf8')).toBe('new');
  });
});
