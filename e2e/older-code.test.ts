import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ComposeProject, docker } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { eventually, run } from './support/process.ts';

/** A deploy that broke its data, and the restore of the app as it was before: data, image, containers and folder. */
const [name, image] = ['migrating', 'holdfast-e2e/migrating'];
const [app, store] = [`${name}-app-1`, `${name}-store-1`];

let holdfast: Holdfast;
let project: ComposeProject;
let backupId: string;
let first: string;
let second: string;

beforeAll(async () => {
  holdfast = await Holdfast.start();
  project = new ComposeProject('migrating', name);
  mkdirSync(join(project.folder, '.git/refs/heads'), { recursive: true });
  writeCommit('1');
  writeFileSync(join(project.folder, '.git/HEAD'), 'ref: refs/heads/main\n');
  writeFileSync(join(project.folder, '.env'), 'KEY=first\n');
  first = await build();
  await project.start();
  await project.sh('store', 'echo precious > /data/rows');
  await eventually('the app runs', async () => (await schema()) === '1');
  backupId = await holdfast.createBackup(name);
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  for (const id of [first, second]) if (id !== undefined) await run('docker', ['rmi', '--force', id]);
  await holdfast?.[Symbol.asyncDispose]();
});

/** The second version is deployed, and has broken the data. */
beforeEach(async () => {
  edit('image/app.sh', 'version=1', 'version=2');
  edit('compose.yaml', '      - ./cache:/cache\n', '');
  mkdirSync(join(project.folder, 'cache'), { recursive: true });
  writeFileSync(join(project.folder, 'cache/large'), 'in no backup');
  edit('compose.yaml', 'restart: unless-stopped', 'restart: on-failure:2');
  writeCommit('2');
  writeFileSync(join(project.folder, 'image/second'), 'of the second version');
  writeFileSync(join(project.folder, 'settings/mode'), 'changed since');
  second = await build();
  await project.compose('up', '--detach');
  await project.sh('store', 'echo 1 > /data/schema');
  await docker('restart', '--time', '0', app);
  await docker('update', '--restart', 'always', store);
  await eventually('it is broken', async () => (await rows()) === 'migrated to 2');
});

function edit(file: string, from: string, to: string): void {
  const path = join(project.folder, file);
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
}

function writeCommit(digit: string): void {
  writeFileSync(join(project.folder, '.git/refs/heads/main'), `${digit.repeat(40)}\n`);
}

async function build(): Promise<string> {
  await docker('build', '--quiet', '--tag', image, join(project.folder, 'image'));
  return (await docker('image', 'inspect', '--format', '{{.Id}}', image)).trim();
}

async function schema(): Promise<string> {
  return (await project.sh('store', 'cat /data/schema 2>/dev/null || true')).trim();
}

async function rows(): Promise<string> {
  return (await project.sh('store', 'cat /data/rows')).trim();
}

async function imageOf(container: string): Promise<string> {
  return (await docker('inspect', '--format', '{{.Image}}', container)).trim();
}

async function idOf(container: string): Promise<string> {
  return (await docker('inspect', '--format', '{{.Id}}', container)).trim();
}

async function isRunning(): Promise<boolean> {
  return (await docker('inspect', '--format', '{{.State.Running}}', app)).trim() === 'true';
}

async function containers(): Promise<string[]> {
  const list = await docker('ps', '--all', '--format', '{{.Names}}');
  return list
    .split('\n')
    .filter((each) => each.includes(name))
    .sort();
}

const read = (file: string): string => readFileSync(join(project.folder, file), 'utf8');

function expectFolderOf(version: 1 | 2): void {
  expect(read('image/app.sh')).toContain(`version=${version}`);
  expect(existsSync(join(project.folder, 'image/second'))).toBe(version === 2);
  expect(read('settings/mode')).toBe(version === 1 ? 'as it is now\n' : 'changed since');
  // Nothing mounts it any more, and what the backup does not have of it is nowhere else.
  expect(read('cache/large')).toBe('in no backup');
  expect(readdirSync(project.folder).filter((each) => each.startsWith('.holdfast'))).toEqual([]);
}

it('a restore brings back the image and the folder that fit the data', async () => {
  const staying = await idOf(store);
  const told = await holdfast.run(['backup:restore', backupId, '--dry-run']);
  expect(told.stderr).toContain(`${app} would be made as it was: Binds, Image`);
  expect(told.stderr).toContain('- image/second');
  expect([await imageOf(app), await rows()]).toEqual([second, 'migrated to 2']);

  const restored = await holdfast.run(['backup:restore', backupId, '--yes']);
  expect(restored).toMatchObject({ status: 0 });
  await eventually('the app runs', isRunning);
  expect([await imageOf(app), await rows(), await schema()]).toEqual([first, 'precious', '1']);
  expect(await project.restartPolicy('app')).toBe('unless-stopped');
  expect([await idOf(store), await project.restartPolicy('store')]).toEqual([staying, 'no']);
  expect(await containers()).toEqual([app, store]);
  expectFolderOf(1);
  // The history of what was deployed is never rewritten.
  expect(read('.git/refs/heads/main')).toBe(`${'2'.repeat(40)}\n`);
  expect(restored.stderr).toContain(`at commit ${'1'.repeat(40)}`);
  expect(restored.stderr).toContain(`app: ${first}`);

  // Until the next deploy; and over it, with the file that is named.
  expect(restored.stderr).toContain('-f compose.yaml -f compose.restored.yaml up -d');
  await project.compose('-f', 'compose.yaml', '-f', 'compose.restored.yaml', 'up', '--detach');
  expect(await imageOf(app)).toBe(first);
  await project.compose('up', '--detach');
  expect(await imageOf(app)).toBe(second);
  await holdfast.mustRun(['backup:restore', backupId, '--yes']);
  expect([await imageOf(app), await rows()]).toEqual([first, 'precious']);
});

it('a backup tells what runs otherwise than the Compose files say, and its restore does again', async () => {
  expect(await holdfast.mustRun(['backup:log', backupId])).not.toContain('Compose files');
  const newer = await holdfast.createBackup(name);
  expect(await holdfast.mustRun(['backup:log', newer])).toContain(
    'store is not as its Compose files say, and docker compose up would change it: restart',
  );
  const told = await holdfast.run(['backup:restore', newer, '--dry-run']);
  expect(told.stderr).toContain('store was not as its Compose files said');
});

it('--undo brings back the newer image, folder and data', async () => {
  await holdfast.mustRun(['backup:restore', backupId, '--yes']);
  expect([await imageOf(app), await rows()]).toEqual([first, 'precious']);
  await docker('rmi', '--force', image);
  const undone = await holdfast.run(['backup:restore', '-e', name, '--undo', '--yes']);
  expect(undone).toMatchObject({ status: 0 });
  expect([await imageOf(app), await rows()]).toEqual([second, 'migrated to 2']);
  expect(await project.restartPolicy('app')).toBe('on-failure');
  expect(await project.restartPolicy('store')).toBe('always');
  expectFolderOf(2);
});

it('--no-code keeps the newer app, and says that its data are of another', async () => {
  const container = await idOf(app);
  const restored = await holdfast.run(['backup:restore', backupId, '--no-code', '--yes']);
  expect(restored.stderr).toContain(`${app} keeps the image`);
  expect(await idOf(app)).toBe(container);
  await eventually('it has broken them again', async () => (await rows()) === 'migrated to 2');
  expect(read('image/app.sh')).toContain('version=2');
});

it('is refused before anything stops where an image cannot be had, or a container of another has a name', async () => {
  const id = await idOf(app);
  await project.compose('rm', '--force', '--stop', 'app');
  await docker('create', '--name', app, 'holdfast-test/busybox');
  try {
    const refused = await holdfast.run(['backup:restore', backupId, '--yes']);
    expect(refused.stderr).toContain('error[code-refused]');
    expect(await rows()).toBe('migrated to 2');
    expect(await idOf(app)).not.toBe(id);
  } finally {
    await docker('rm', '--force', app);
    await project.compose('up', '--detach');
  }
});

it.each(['Stopping the containers', 'Making its containers', 'Restoring', 'Starting the containers'])(
  'killed at "%s", it is wholly one or the other',
  async (step) => {
    const { job } = await holdfast
      .client()
      .call('backup.restore', { params: { backup: backupId }, body: {} });
    const state = async () => await holdfast.client().call('job.get', { params: { job: job.id } });
    await eventually(`it is at ${step}`, async () => {
      const now = await state();
      return now.step === step || !['queued', 'running'].includes(now.state);
    });
    await holdfast.killServer();
    await holdfast.startServer();
    await eventually('the job is over', async () => !['queued', 'running'].includes((await state()).state));
    const { state: end } = await state();
    const isNew = end !== 'failed';
    expect(await containers()).toEqual([app, store]);
    expect(await project.restartPolicy('store')).toBe(isNew ? 'no' : 'always');
    expect(await imageOf(app)).toBe(isNew ? first : second);
    expect(await rows()).toBe(isNew ? 'precious' : 'migrated to 2');
    expectFolderOf(isNew ? 1 : 2);
    if (isNew) await eventually('the app runs', isRunning);
    expect(await project.containerState('store')).toBe('running');
  },
);
