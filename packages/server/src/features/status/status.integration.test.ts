import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type DockerServer, openDockerServer } from '../../testing/docker-server.ts';
import { readyBackup } from '../../testing/restoring.ts';
import { bindMount, openTestProject, type TestProject, volumeMount } from '../../testing/test-project.ts';

async function statusOf(server: DockerServer, { name }: TestProject) {
  const { environments, problems } = await server.client.call('status.get', {});
  return {
    environment: environments.find((each) => each.name === name),
    kinds: problems.filter(({ subject }) => subject === name).map(({ kind }) => kind),
  };
}

test('what no backup has is told until it is in one, or somebody says that it need not be', async () => {
  await using server = await openDockerServer();
  await using project = await openTestProject();
  const elsewhere = await mkdtemp(join(tmpdir(), 'holdfast-elsewhere-'));
  await using _ = { [Symbol.asyncDispose]: async () => await rm(elsewhere, { recursive: true }) };
  await writeFile(join(elsewhere, 'file'), 'x');
  const mounts = [
    volumeMount(await project.volume('data'), '/data'),
    bindMount(elsewhere, '/elsewhere'),
    bindMount('/etc/localtime', '/etc/localtime'),
  ];
  const script = 'echo x > /kept; sleep 600';
  const web = await project.service('web', { mounts, script });
  await project.service('scratch', { script, labels: { 'holdfast.backup': 'false' } });
  await expect
    .poll(async () => (await statusOf(server, project)).environment?.writesOutsideMounts)
    .toEqual(['web']);

  const before = await statusOf(server, project);
  expect(before.environment?.mountsLeftOut.map(({ name }) => name)).toEqual([elsewhere]);
  expect(before.kinds).toEqual([
    'never-backed-up',
    'schedule-missing',
    'mounts-left-out',
    'writes-outside-mounts',
  ]);

  await project.docker.containers.remove(web);
  await project.service('web', { mounts, labels: { 'holdfast.exclude': '/elsewhere' } });
  const backup = await readyBackup(server, project);
  const after = await statusOf(server, project);
  expect(after.environment).toMatchObject({
    ...{ state: 'active', isReachable: true, backups: 1, lastGoodBackup: { id: backup } },
    ...{ mountsLeftOut: [], writesOutsideMounts: [] },
  });
  expect(after.kinds).toEqual(['schedule-missing']);
});
