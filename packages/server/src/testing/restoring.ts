import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sleep } from '@holdfast/base';
import type { Job } from '@holdfast/protocol';
import { expect } from 'vitest';
import { type DockerServer, openDockerServer } from './docker-server.ts';
import { openTestProject, type TestProject, volumeMount } from './test-project.ts';

export async function readyBackup(server: DockerServer, project: TestProject): Promise<string> {
  const { job, backupId } = await server.client.call('backup.create', {
    params: { environment: project.name },
    body: {},
  });
  expect(await server.ended(job)).toMatchObject({ state: 'done', error: null });
  return backupId;
}

export async function startRestore(
  server: DockerServer,
  backup: string,
  components?: string[],
  more: { readonly safety?: boolean; readonly code?: boolean } = {},
): Promise<Job> {
  const body = components === undefined ? more : { components, ...more };
  return (await server.client.call('backup.restore', { params: { backup }, body })).job;
}

export async function restore(server: DockerServer, backup: string, components?: string[]): Promise<Job> {
  return await server.ended(await startRestore(server, backup, components));
}

export async function unfinishedRestore(server: DockerServer, project: TestProject) {
  const environment = await server.client.call('environment.get', {
    params: { environment: project.name },
  });
  return environment.unfinishedRestore;
}

export async function stateOf(project: TestProject, id: string) {
  const { state, restartPolicy } = await project.docker.containers.inspect(id);
  return { isRunning: state.running, policy: restartPolicy.name };
}

/** A volume with `files` files, mounted by a container that runs and one that does not. */
export async function setUp(files = 40) {
  const stack = new AsyncDisposableStack();
  const project = stack.use(await openTestProject());
  const server = stack.use(await openDockerServer());
  const data = await project.volume('data');
  const path = await project.pathOf(data);
  const write = (content: string): void => {
    for (let file = 0; file < files; file += 1)
      writeFileSync(join(path, `file-${file}`), content.repeat(20_000));
  };
  const mounts = [volumeMount(data, '/data')];
  const web = await project.service('web', { mounts, restart: 'always' });
  const idle = await project.service('idle', { mounts, restart: 'unless-stopped', isStarted: false });
  write('old');
  const backup = await readyBackup(server, project);
  write('new');
  writeFileSync(join(path, 'extra'), 'extra');
  const contents = () => readFileSync(join(path, 'file-0'), 'utf8').slice(0, 3);
  return { project, server, data, path, web, idle, backup, write, contents, dispose: stack };
}

/** As it was: what ran runs, what did not does not, under the policies they had. */
export async function expectAsBefore(project: TestProject, web: string, idle: string): Promise<void> {
  expect(await stateOf(project, web)).toEqual({ isRunning: true, policy: 'always' });
  expect(await stateOf(project, idle)).toEqual({ isRunning: false, policy: 'unless-stopped' });
}

export async function expectStopped(project: TestProject, ...ids: string[]): Promise<void> {
  for (const id of ids) expect(await stateOf(project, id)).toEqual({ isRunning: false, policy: 'no' });
}

/**
 * Keeps the restore that is under way from ending its swap, and from undoing it, once it has begun: as where the storage
 * fails. Answers what clears the way again.
 */
export async function barSwap(path: string): Promise<() => void> {
  for (;;) {
    const name = readdirSync(path).find((each) => each.startsWith('.holdfast-restore-'));
    const bar = join(path, name ?? '', 'journal.done');
    if (name !== undefined && existsSync(dirname(bar))) {
      mkdirSync(bar);
      return () => rmdirSync(bar);
    }
    await sleep(2);
  }
}
