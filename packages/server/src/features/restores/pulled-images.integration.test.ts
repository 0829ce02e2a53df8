import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectDocker } from '@holdfast/docker';
import { serveImage } from '@holdfast/docker/testing';
import { expect, test } from 'vitest';
import { openDockerServer } from '../../testing/docker-server.ts';
import { readyBackup, restore } from '../../testing/restoring.ts';
import { openTestProject, volumeMount } from '../../testing/test-project.ts';

test('an image that its registry has is pulled for a restore, as it was', async () => {
  const docker = await connectDocker({ host: process.env.DOCKER_HOST ?? '' });
  await using served = await serveImage(docker, process.env.HOLDFAST_TEST_IMAGE ?? '');
  await using project = await openTestProject({ image: served.reference });
  await using server = await openDockerServer();
  const data = await project.volume('data');
  const { image } = await docker.containers.inspect(
    await project.service('web', { mounts: [volumeMount(data, '/data')] }),
  );
  writeFileSync(join(await project.pathOf(data), 'file'), 'old');
  const backup = await readyBackup(server, project);
  await project.down({ volumes: true });
  served.remove();

  expect(await restore(server, backup)).toMatchObject({ state: 'done', warnings: [] });
  const [made] = (await docker.containers.list({})).filter(({ name }) => name === `${project.name}-web-1`);
  expect((await docker.containers.inspect(made?.id ?? '')).image).toEqual(image);
  expect(readFileSync(join(await project.pathOf(data), 'file'), 'utf8')).toBe('old');
  await docker.containers.remove(made?.id ?? '');
  await docker.volumes.remove(data);
});
