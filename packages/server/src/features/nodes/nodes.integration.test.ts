import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectDocker, copyImage } from '@holdfast/docker';
import { describe, expect, test } from 'vitest';
import { type DockerServer, openDockerServer } from '../../testing/docker-server.ts';
import { readyBackup, restore, stateOf } from '../../testing/restoring.ts';
import { openTestProject, type TestProject, volumeMount } from '../../testing/test-project.ts';

const host = required('HOLDFAST_TEST_NODE2_SOCKET');
const port = required('HOLDFAST_TEST_NODE2');

function required(variable: string): string {
  const value = process.env[variable];
  if (value !== undefined && value !== '') return value;
  throw new Error(`${variable} is not set: eval "$(script/testbed up docker node2 images)"`);
}

function failingWith(code: string) {
  return expect.objectContaining({ report: expect.objectContaining({ code }) });
}

async function addSecond(server: DockerServer, dockerHost = host): Promise<void> {
  await server.client.call('node.add', { body: { name: 'second', dockerHost } });
}

/** A project on the second engine, which gets the tests' image for that. */
async function openSecondProject(): Promise<TestProject> {
  const from = await connectDocker({ host: required('DOCKER_HOST') });
  const image = await from.images.inspect(required('HOLDFAST_TEST_IMAGE'));
  if (image === undefined) throw new Error('The image of the tests is missing.');
  await copyImage(image.id, { from, to: await connectDocker({ host }) });
  return await openTestProject({ host, image: image.id });
}

async function withData(project: TestProject, content: string) {
  const data = await project.volume('data');
  const path = await project.pathOf(data);
  const web = await project.service('web', { mounts: [volumeMount(data, '/data')], restart: 'always' });
  writeFileSync(join(path, 'file'), content);
  return { data, path, web, read: () => readFileSync(join(path, 'file'), 'utf8') };
}

async function listed(server: DockerServer, project: TestProject) {
  const { environments } = await server.client.call('environment.list', {});
  return environments.find(({ name }) => name === project.name);
}

describe('a node', () => {
  test('is added once, listed, and removed; its environments stay, and come back with it', async () => {
    await using server = await openDockerServer();
    await using project = await openSecondProject();
    const { read } = await withData(project, 'old');
    expect(await listed(server, project)).toBeUndefined();
    const second = await server.client.call('node.add', { body: { name: 'second', dockerHost: host } });
    expect(second).toMatchObject({ name: 'second', status: 'ok', limitation: null });
    const nodeExists = failingWith('node-exists');
    for (const body of [
      { name: 'again', dockerHost: port },
      { name: 'again', dockerHost: required('DOCKER_HOST') },
      { name: 'local', dockerHost: host },
    ])
      await expect(server.client.call('node.add', { body })).rejects.toEqual(nodeExists);
    await expect(
      server.client.call('node.add', { body: { name: 'far', dockerHost: 'ssh://far' } }),
    ).rejects.toEqual(failingWith('configuration-invalid'));
    const { nodes } = await server.client.call('node.list', {});
    expect(nodes.map(({ name, status }) => [name, status])).toEqual([
      ['local', 'ok'],
      ['second', 'ok'],
    ]);
    expect(await listed(server, project)).toMatchObject({ state: 'active', nodeName: 'second' });
    const backup = await readyBackup(server, project);

    await expect(server.client.call('node.remove', { params: { node: 'local' } })).rejects.toEqual(
      failingWith('usage-invalid'),
    );
    await server.client.call('node.remove', { params: { node: 'second' } });
    expect(await listed(server, project)).toMatchObject({ state: 'inactive', isReachable: true });
    await expect(
      server.client.call('environment.get', { params: { environment: project.name } }),
    ).rejects.toEqual(failingWith('node-unknown'));
    expect(await restore(server, backup)).toMatchObject({ error: { code: 'node-unknown' } });
    const back = await server.client.call('node.add', { body: { name: 'other', dockerHost: port } });
    expect(back.id).toBe(second.id);
    expect(await listed(server, project)).toMatchObject({ state: 'active', nodeName: 'other' });
    expect(await restore(server, backup)).toMatchObject({ state: 'done', warnings: [] });
    expect(read()).toBe('old');
  });

  test('is not removed while a job works on it', async () => {
    await using server = await openDockerServer();
    await using project = await openSecondProject();
    await addSecond(server);
    await project.service('web', {
      mounts: [volumeMount(await project.volume('data'), '/data')],
      labels: { 'holdfast.backup.pre': 'sleep 20' },
    });
    await server.client.call('environment.list', {});
    const { job } = await server.client.call('backup.create', {
      params: { environment: project.name },
      body: {},
    });
    await expect(server.client.call('node.remove', { params: { node: 'second' } })).rejects.toEqual(
      failingWith('environment-busy'),
    );
    await server.client.call('job.cancel', { params: { job: job.id } });
    await server.ended(job);
    await server.client.call('node.remove', { params: { node: 'second' } });
  });

  test('has its apps frozen, backed up and restored as the first has, by a socket or by a port', async () => {
    for (const dockerHost of [host, port]) {
      await using server = await openDockerServer();
      await using project = await openSecondProject();
      await addSecond(server, dockerHost);
      const { path, web, read } = await withData(project, 'old');
      await project.service('db', {
        mounts: [volumeMount(await project.volume('db'), '/db')],
        labels: { 'holdfast.backup.command': 'echo dump', 'holdfast.restore.command': 'cat > /db/fed' },
      });
      const backup = await readyBackup(server, project);
      const { capture } = await server.client.call('backup.get', { params: { backup } });
      expect(capture?.frozenMs).toBeGreaterThan(0);
      writeFileSync(join(path, 'file'), 'new');
      expect(await restore(server, backup)).toMatchObject({ state: 'done', error: null, warnings: [] });
      expect(read()).toBe('old');
      const fed = join(await project.pathOf(`${project.name}_db`), 'fed');
      expect(readFileSync(fed, 'utf8')).toBe('dump\n');
      expect(await stateOf(project, web)).toEqual({ isRunning: true, policy: 'always' });
    }
  });

  test('is the target of a backup of another node, and the other way round', async () => {
    await using server = await openDockerServer();
    await using first = await openTestProject();
    await using second = await openSecondProject();
    await addSecond(server);
    const [shop, staging] = [await withData(first, 'shop'), await withData(second, 'staging')];
    const backup = await readyBackup(server, first);
    await server.client.call('environment.list', {});
    const params = { backup };
    const { job } = await server.client.call('backup.restore', { params, body: { target: second.name } });
    expect(await server.ended(job)).toMatchObject({ state: 'done', error: null, warnings: [] });
    expect([shop.read(), staging.read()]).toEqual(['shop', 'shop']);
    const query = { environment: second.name, kind: 'safety' as const };
    const [kept] = (await server.client.call('backup.list', { query })).backups;
    const { job: back } = await server.client.call('backup.restore', {
      params: { backup: kept?.id ?? '' },
      body: { target: first.name },
    });
    expect(await server.ended(back)).toMatchObject({ state: 'done', error: null });
    expect([shop.read(), staging.read()]).toEqual(['staging', 'shop']);
  });

  test('has movers in containers of its own where a path cannot be proven, from the image of the first', async () => {
    const program = fileURLToPath(new URL('../../../../../script/image', import.meta.url));
    const env = { ...process.env, HOLDFAST_IMAGE_TAG: 'holdfast-test/holdfast-nodes' };
    const image = execFileSync(program, { env, stdio: ['ignore', 'pipe', 'inherit'] })
      .toString()
      .trim();
    await using server = await openDockerServer(['--image', image]);
    await using project = await openSecondProject();
    await addSecond(server);
    // A volume with options is empty on this machine while nothing uses it: only a container reaches it.
    const data = await project.volume('data', { type: 'none', o: 'bind', device: project.folder });
    await project.service('web', { mounts: [volumeMount(data, '/data')] });
    const file = join(project.folder, 'file');
    writeFileSync(file, 'old');
    const backup = await readyBackup(server, project);
    writeFileSync(file, 'new');
    writeFileSync(join(project.folder, 'extra'), 'extra');
    expect(await restore(server, backup)).toMatchObject({ state: 'done', error: null, warnings: [] });
    expect([readFileSync(file, 'utf8'), existsSync(join(project.folder, 'extra'))]).toEqual(['old', false]);
  });

  test('that does not answer, or is another engine by now, hides no other', async () => {
    await using server = await openDockerServer();
    await using first = await openTestProject();
    await using second = await openSecondProject();
    await withData(first, 'first');
    await withData(second, 'second');
    // In front of the engine, so that it can be taken away without stopping it for others.
    let isOther = false;
    const front = createServer((request, response) => {
      const [, socketPath = ''] = (isOther ? required('DOCKER_HOST') : host).split('://');
      const { method, url: path } = request;
      const asked = execFileSync('curl', ['-s', '--unix-socket', socketPath, `http://docker${path}`]);
      if (method !== 'GET') response.writeHead(500).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(asked);
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    const dockerHost = `tcp://127.0.0.1:${(front.address() as AddressInfo).port}`;
    try {
      await addSecond(server, dockerHost);
      expect(await listed(server, second)).toMatchObject({ state: 'active', isReachable: true });
      isOther = true;
      expect(await listed(server, second)).toMatchObject({ state: 'active', isReachable: false });
      expect(await listed(server, first)).toMatchObject({ isReachable: true });
      await expect(
        server.client.call('backup.create', { params: { environment: second.name }, body: {} }),
      ).rejects.toEqual(failingWith('node-changed'));
    } finally {
      front.closeAllConnections();
      front.close();
    }
    expect(await listed(server, second)).toMatchObject({ state: 'active', isReachable: false });
    await expect(
      server.client.call('backup.create', { params: { environment: second.name }, body: {} }),
    ).rejects.toEqual(failingWith('docker-unreachable'));
    expect(await readyBackup(server, first)).toMatch(/^bak_/);
    const { nodes } = await server.client.call('node.list', {});
    expect(nodes.map(({ name, status }) => [name, status])).toEqual([
      ['local', 'ok'],
      ['second', 'unreachable'],
    ]);
  });
});
