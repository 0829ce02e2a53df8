import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { connectDocker } from '../engine-port/connect-docker.ts';
import { copyImage } from './copy-image.ts';

function required(variable: string): string {
  const value = process.env[variable];
  if (value !== undefined && value !== '') return value;
  throw new Error(`${variable} is not set: eval "$(script/testbed up docker node2 images)"`);
}

test('an image gets to another engine under its id, by a socket or by a port', async () => {
  const from = await connectDocker({ host: required('DOCKER_HOST') });
  const host = required('HOLDFAST_TEST_NODE2_SOCKET');
  const name = `hftest-${randomBytes(4).toString('hex')}`;
  const build = ['-H', from.host, 'build', '-q', '-t', name, '-'];
  const input = `FROM ${required('HOLDFAST_TEST_IMAGE')}\nLABEL only=${name}\n`;
  const id = execFileSync('docker', build, { input, encoding: 'utf8' }).trim();
  try {
    for (const address of [host, required('HOLDFAST_TEST_NODE2')]) {
      const to = await connectDocker({ host: address });
      expect(await to.images.inspect(id)).toBeUndefined();
      try {
        await copyImage(id, { from, to });
        expect(await to.images.inspect(id)).toMatchObject({ id });
        await copyImage(id, { from, to });
      } finally {
        execFileSync('docker', ['-H', host, 'rmi', id]);
      }
    }
    const to = await connectDocker({ host });
    await expect(copyImage(`sha256:${'0'.repeat(64)}`, { from, to })).rejects.toMatchObject({
      code: 'docker-refused',
    });
  } finally {
    execFileSync('docker', ['-H', from.host, 'rmi', name]);
  }
});
