import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EnvironmentSummary } from '@holdfast/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cliRun } from '../testing/cli-run.ts';
import { ProtocolServer } from '../testing/protocol-server.ts';
import { sampleEnvironment, sampleEnvironmentDetail } from '../testing/samples.ts';

let root: string;

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-choose-')));
});

afterAll(async () => {
  await rm(root, { recursive: true });
});

/** What the command line asks the server for when it is run in `folder` without naming an environment. */
async function chosen(
  environments: EnvironmentSummary[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  await using server = await ProtocolServer.start({
    'environment.list': () => ({ environments }),
    'environment.get': ({ params }) =>
      sampleEnvironmentDetail(params.environment?.slice(4).replace(/0+$/, '') ?? ''),
  });
  const { notes } = await cliRun(['environment:get'], { server, folder, env });
  const asked = server.received.find(({ name }) => name === 'environment.get');
  return asked?.params.environment ?? notes;
}

async function folderWith(name: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = join(root, name);
  await mkdir(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return path;
}

const shop = sampleEnvironment('shop');
const blog = sampleEnvironment('blog');

it('is the one whose folder this is, also from a folder within', async () => {
  const folder = await folderWith('here');
  const within = await folderWith('here/deep/down');
  const environments = [shop, { ...blog, folder }];
  expect(await chosen(environments, folder)).toBe(blog.id);
  expect(await chosen(environments, within)).toBe(blog.id);
});

it('is the nearest where projects are nested, and not one whose name only begins alike', async () => {
  const outer = await folderWith('outer');
  const inner = await folderWith('outer/inner');
  const alike = await folderWith('outer/inner-not');
  const environments = [
    { ...shop, folder: outer },
    { ...blog, folder: inner },
  ];
  expect(await chosen(environments, inner)).toBe(blog.id);
  expect(await chosen(environments, alike)).toBe(shop.id);
});

it.each([
  ['the name in the Compose file', { 'compose.yaml': 'services: {}\nname: "blog" # ours\n' }],
  ['the older file name', { 'docker-compose.yml': "name: 'blog'\n" }],
  ['.env', { 'compose.yaml': 'name: other\n', '.env': '# x\nCOMPOSE_PROJECT_NAME=blog\n' }],
])('is the Compose project of this folder by %s', async (what, files) => {
  const folder = await folderWith(`by ${what}`, files);
  const below = await folderWith(`by ${what}/below`);
  expect(await chosen([shop, blog], folder)).toBe(blog.id);
  expect(await chosen([shop, blog], below)).toBe(blog.id);
});

it('is the Compose project named like the folder, or by COMPOSE_PROJECT_NAME', async () => {
  const folder = await folderWith('My.Blog', { 'compose.yml': 'services: {}\n' });
  const environments = [shop, blog, sampleEnvironment('myblog')];
  expect(await chosen(environments, folder)).toBe(environments[2]?.id);
  expect(await chosen(environments, folder, { COMPOSE_PROJECT_NAME: 'shop' })).toBe(shop.id);
});

it('is the only one there is', async () => {
  expect(await chosen([shop], root)).toBe(shop.id);
});

it('is none that was deleted, where there is another', async () => {
  const deleted = { ...blog, deletion: { atMs: 1, untilMs: 2 } };
  expect(await chosen([shop, deleted], root)).toBe(shop.id);
  expect(await chosen([deleted], root)).toBe(blog.id);
});

it('is asked for where there are several, which are listed', async () => {
  const other = sampleEnvironment('shop', { id: sampleEnvironment('shop2').id, nodeName: 'far' });
  const notes = await chosen([shop, other, blog], root);
  expect(notes).toMatch(/^error\[environment-ambiguous\]: /);
  expect(notes).toContain(
    'Name one: env_shop000000000000 (shop on local), env_shop200000000000 (shop on far), blog.',
  );
});

it('is unknown where there is none', async () => {
  expect(await chosen([], root)).toMatch(/^error\[environment-unknown\]: /);
});
