import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EnvironmentModel, type Manifest, manifestSchema } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { StartedMover } from './testing/started-mover.ts';
import { type TestPlace, testPlace } from './testing/task-specs.ts';

const model: EnvironmentModel = {
  version: 1,
  engine: { version: '28.0.0', architecture: 'x86_64', os: 'linux' },
  project: 'shop',
  folder: '/srv/shop',
  containers: [],
  networks: [],
  volumes: [],
  composeDifferences: null,
};

/** A backup whose part `code` has these files. */
async function backup(place: TestPlace, files: Readonly<Record<string, string>>): Promise<Manifest> {
  const path = join(place.folder, 'code');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  const [folder, file] = [join(place.folder, 'notes'), join(place.folder, 'settings')];
  mkdirSync(folder);
  writeFileSync(file, 'a = 1');
  const parts = [
    { name: 'code', path },
    { name: 'notes', path: folder },
    { name: 'settings', path: file },
  ];
  const mover = new StartedMover(place.backup(parts));
  expect(await mover.runThrough()).toMatchObject({ outcome: 'done', error: null });
  return manifestSchema.parse((await mover.sees('committed')).manifest);
}

test('what an environment was made of is told, with which binds are a single file', async () => {
  await using place = await testPlace();
  const manifest = await backup(place, {
    'model.json': JSON.stringify(model),
    'project/compose.yaml': 'services: {}',
  });
  const mover = new StartedMover(place.code(manifest));
  expect(await mover.runThrough()).toMatchObject({ outcome: 'done', error: null });
  expect(await mover.sees('described')).toMatchObject({ model, hasProject: true, singleFiles: ['settings'] });
});

const secret = 'the password of a database';
const withSecret = JSON.stringify({ ...model, folder: secret });

test.each([
  ['none', {}],
  ['no JSON', { 'model.json': `{"version": ${secret}` }],
  ['something else', { 'model.json': withSecret }],
])('a model that is %s is refused, and nothing of it is told', async (_, files) => {
  await using place = await testPlace();
  const mover = new StartedMover(place.code(await backup(place, { 'project/compose.yaml': '', ...files })));
  const result = await mover.runThrough();
  expect(result).toMatchObject({ outcome: 'failed', error: { code: 'code-unusable' } });
  expect(JSON.stringify(mover.events)).not.toContain(secret);
});

test("a project's folder is unpacked as it was, links as links", async () => {
  await using place = await testPlace();
  const project = join(place.folder, 'code', 'project');
  mkdirSync(project, { recursive: true });
  symlinkSync('/etc/passwd', join(project, 'link'));
  const manifest = await backup(place, { 'project/deep/file': 'content' });
  const target = join(place.folder, 'target');
  mkdirSync(target);
  expect(await new StartedMover(place.unpack(manifest, target)).runThrough()).toMatchObject({
    outcome: 'done',
    error: null,
  });
  expect(readdirSync(target).sort()).toEqual(['deep', 'link']);
  expect(readFileSync(join(target, 'deep', 'file'), 'utf8')).toBe('content');
});
