import { mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestEngine, type TestEngine } from '../testing/test-engine.ts';
import { ownOwner } from './probe-owner.ts';
import { proveBinds } from './prove-binds.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine();
});
afterAll(() => engine[Symbol.asyncDispose]());

const host = { isShared: true } as const;

test('folders, files and links to them are proven, each for itself', async () => {
  const folder = join(engine.folder, 'data');
  const file = join(engine.folder, 'app.conf');
  const link = join(engine.folder, 'link');
  const missing = join(engine.folder, 'none');
  await mkdir(folder);
  await writeFile(file, 'x');
  await symlink(folder, link);
  const paths = [folder, file, link, missing];
  const proofs = await proveBinds(engine.docker, { paths, images: [engine.image], host });
  expect(proofs.get(folder)).toEqual({ proven: true, path: folder });
  expect(proofs.get(file)).toEqual({ proven: true, path: file });
  expect(proofs.get(link)).toEqual({ proven: true, path: link });
  expect(proofs.get(missing)).toMatchObject({ proven: false, reason: expect.stringContaining('ENOENT') });
  expect(await engine.docker.containers.list({ labels: [`holdfast.internal.owner=${ownOwner()}`] })).toEqual(
    [],
  );
});

test('a folder that is another for the engine is not proven', async () => {
  const path = join(engine.folder, 'ours');
  const theirs = join(engine.folder, 'theirs');
  await mkdir(path);
  await mkdir(theirs);
  await utimes(theirs, new Date(), new Date(Date.now() - 5));
  const { containers } = engine.docker;
  const misled = {
    ...engine.docker,
    containers: {
      ...containers,
      create: (spec: Parameters<typeof containers.create>[0]) =>
        containers.create({
          ...spec,
          mounts: spec.mounts.map((mount) => (mount.type === 'bind' ? { ...mount, source: theirs } : mount)),
        }),
    },
  };
  const proofs = await proveBinds(misled, { paths: [path], images: [engine.image], host });
  expect(proofs.get(path)).toMatchObject({ proven: false, reason: expect.stringContaining('not what') });
  await rm(theirs, { recursive: true });
  const gone = await proveBinds(misled, { paths: [path], images: [engine.image], host });
  expect(gone.get(path)).toMatchObject({ proven: false, reason: expect.stringContaining('not exist') });
});

test('nothing is proven from inside a container', async () => {
  const reason = 'Holdfast runs in a container';
  const elsewhere = { isShared: false, reason } as const;
  const proofs = await proveBinds(engine.docker, { paths: [engine.folder], images: [], host: elsewhere });
  expect(proofs.get(engine.folder)).toMatchObject({ proven: false, reason: expect.stringContaining(reason) });
});
