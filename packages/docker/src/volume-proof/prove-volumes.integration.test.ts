import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ownProcessIdentity } from '@holdfast/base';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NewContainer } from '../engine-port/docker-engine.ts';
import { openTestEngine, type TestEngine } from '../testing/test-engine.ts';
import { isContainerMountTable, viewHost } from './host-view.ts';
import { removeLeftProbes } from './probe-container.ts';
import { ownOwner } from './probe-owner.ts';
import { proveVolumes } from './prove-volumes.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine();
});
afterAll(() => engine[Symbol.asyncDispose]());

const host = { isShared: true } as const;

async function prove(volumes: string[], images: string[] = [engine.image]) {
  return proveVolumes(engine.docker, { volumes, images, host });
}

/** Of this process: other tests prove paths on the same engine. */
async function probesLeft(): Promise<number> {
  const labels = ['holdfast.internal=probe', `holdfast.internal.owner=${ownOwner()}`];
  return (await engine.docker.containers.list({ labels })).length;
}

test('this machine and the engine see the same files', async () => {
  expect(await viewHost(engine.docker)).toEqual({ isShared: true });
});

test('inside a container it is clear that it is one', async () => {
  const id = await engine.run();
  const command = ['cat', '/proc/self/mountinfo'];
  await using session = await engine.docker.containers.exec(id, { command, timeoutMs: 10_000 });
  session.stdin.end();
  session.stderr.resume();
  expect(isContainerMountTable(await text(session.stdout))).toBe(true);
});

test('a plain volume is proven, and nothing is left or changed', async () => {
  const name = await engine.createVolume('plain');
  const { mountpoint } = await engine.docker.volumes.inspect(name);
  await writeFile(join(mountpoint, 'kept'), 'x');
  execFileSync('touch', ['-d', '@1600000000.123456789', mountpoint]);
  const proofs = await prove([name]);
  expect(proofs.get(name)).toEqual({ proven: true, path: mountpoint });
  expect(await readdir(mountpoint)).toEqual(['kept']);
  expect((await lstat(mountpoint, { bigint: true })).mtimeNs).toBe(1600000000123456789n);
  expect(await probesLeft()).toBe(0);
});

test('a volume with options is not, used or not', async () => {
  const device = join(engine.folder, 'device');
  await mkdir(device);
  const name = await engine.createVolume('options', { options: { type: 'none', o: 'bind', device } });
  const unused = await prove([name]);
  expect(unused.get(name)).toMatchObject({ proven: false, reason: expect.stringContaining('options') });
  await engine.run({ binds: [`${name}:/data`] });
  const used = await prove([name]);
  expect(used.get(name)).toMatchObject({ proven: false, reason: expect.stringContaining('mover container') });
  expect(await readdir(device)).toEqual([]);
});

test('several are proven at once, each for itself', async () => {
  const names = [await engine.createVolume('one'), await engine.createVolume('two')];
  const proofs = await prove([...names, `${engine.tag}-none`]);
  expect([...proofs].map(([name, { proven }]) => [name, proven]).sort()).toEqual(
    [...names.map((name) => [name, true]), [`${engine.tag}-none`, false]].sort(),
  );
});

test('a volume whose folder is gone, or another than the engine’s, is not proven', async () => {
  const gone = await engine.createVolume('gone');
  const { volumes } = engine.docker;
  const other = join(engine.folder, 'other');
  await mkdir(other);
  const misled = (mountpoint: string) => ({
    ...engine.docker,
    volumes: { ...volumes, inspect: async () => ({ ...(await volumes.inspect(gone)), mountpoint }) },
  });
  const images = [engine.image];
  const missing = await proveVolumes(misled(`${engine.folder}/none`), { volumes: [gone], images, host });
  expect(missing.get(gone)).toMatchObject({ proven: false, reason: expect.stringContaining('not exist') });
  const wrong = await proveVolumes(misled(other), { volumes: [gone], images, host });
  expect(wrong.get(gone)).toMatchObject({ proven: false, reason: expect.stringContaining('not what') });
  expect(await readdir(other)).toEqual([]);
});

test('any image of the engine does when the component’s own is gone', async () => {
  const name = await engine.createVolume('image');
  expect((await prove([name], [`sha256:${'0'.repeat(64)}`])).get(name)).toMatchObject({ proven: true });
});

test('what a killed process left is removed at once, what only looks like it is kept', async () => {
  const name = await engine.createVolume('leftover');
  const { mountpoint } = await engine.docker.volumes.inspect(name);
  const { bootId, startTicks } = ownProcessIdentity();
  const gone = `${bootId}.${process.pid}.1`;
  const alive = `${bootId}.${process.pid}.${startTicks}`;
  const leftover = `.holdfast-probe-${gone}-${'a'.repeat(32)}`;
  const atWork = `.holdfast-probe-${alive}-${'b'.repeat(32)}`;
  const notEmpty = `.holdfast-probe-${gone}-${'c'.repeat(32)}`;
  const notOurs = '.holdfast-probe-notes';
  for (const file of [leftover, atWork, notOurs]) await writeFile(join(mountpoint, file), '');
  await writeFile(join(mountpoint, notEmpty), 'somebody’s data');
  const probe = await engine.docker.containers.create({
    image: engine.image,
    command: ['never-started'],
    labels: { 'holdfast.internal': 'probe', 'holdfast.internal.owner': gone },
    mounts: [
      {
        type: 'volume',
        volumeName: name,
        destination: '/.holdfast-probe/0',
        readOnly: true,
        copyImageContent: false,
      },
    ],
  });
  await removeLeftProbes(engine.docker, {});
  expect((await readdir(mountpoint)).sort()).toEqual([atWork, notEmpty, notOurs].sort());
  await expect(engine.docker.containers.inspect(probe)).rejects.toMatchObject({ code: 'container-unknown' });
  await writeFile(join(mountpoint, leftover), '');
  expect((await prove([name])).get(name)).toMatchObject({ proven: true });
  expect((await readdir(mountpoint)).sort()).toEqual([atWork, notEmpty, notOurs].sort());
});

test('an aborted proof cleans up behind itself', async () => {
  const name = await engine.createVolume('aborted');
  const { mountpoint } = await engine.docker.volumes.inspect(name);
  for (const afterMs of [1, 5, 10, 20, 40, 80]) {
    const signal = AbortSignal.timeout(afterMs);
    await proveVolumes(engine.docker, { volumes: [name], images: [engine.image], host, signal }).catch(
      (error) => expect(error).toMatchObject({ code: 'interrupted' }),
    );
    expect(await readdir(mountpoint)).toEqual([]);
    expect(await probesLeft()).toBe(0);
  }
});

test('volumes that the image declares are not made for the probe', async () => {
  const name = await engine.createVolume('declared');
  const { containers } = engine.docker;
  const mounted: (string | null)[] = [];
  const image = await engine.docker.images.inspect(engine.image);
  if (image === undefined) throw new Error('The test image is gone.');
  const declaring = {
    ...engine.docker,
    containers: {
      ...containers,
      create: async (spec: NewContainer) => {
        const id = await containers.create(spec);
        mounted.push(...(await containers.inspect(id)).mounts.map(({ volumeName }) => volumeName));
        return id;
      },
    },
    images: {
      ...engine.docker.images,
      inspect: async () => ({ ...image, declaredVolumes: ['/etc', '/made'] }),
    },
  };
  const proofs = await proveVolumes(declaring, { volumes: [name], images: [engine.image], host });
  expect(proofs.get(name)).toMatchObject({ proven: true });
  expect(mounted.filter((volume) => volume !== null)).toEqual([name]);
});

test('nothing is proven from inside a container or from another machine', async () => {
  const reason = 'Holdfast runs in a container';
  const elsewhere = { isShared: false, reason } as const;
  const name = await engine.createVolume('elsewhere');
  const proofs = await proveVolumes(engine.docker, { volumes: [name], images: [], host: elsewhere });
  expect(proofs.get(name)).toMatchObject({ proven: false, reason: expect.stringContaining(reason) });
});
