import { existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposeProject, docker } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { eventually, run } from './support/process.ts';

/** Environments that are made of a backup alone: beside the one that it is of, and after that one was removed. */
const [name, copy, image, shared] = ['copied', 'copied-two', 'holdfast-e2e/copied', 'holdfast-e2e-shared'];

let holdfast: Holdfast;
let project: ComposeProject;
let backupId: string;
let copyFolder: string;

beforeAll(async () => {
  process.env.COPIED_GREETING = 'from a shell';
  process.env.COPIED_PORT = String(await freePort());
  await removeLeft();
  holdfast = await Holdfast.start();
  project = new ComposeProject('copied', name);
  copyFolder = join(dirname(project.folder), copy);
  rmSync(copyFolder, { recursive: true, force: true });
  await docker('build', '--quiet', '--tag', image, join(project.folder, 'image'));
  await docker('volume', 'create', shared);
  await project.start();
  await project.sh('store', 'echo kept > /data/file; echo of all > /shared/file');
  await eventually('the app answers', async () => (await answer(name, 'data/file')) === 'kept\n');
  backupId = await holdfast.createBackup(name);
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await removeLeft();
  await run('docker', ['volume', 'rm', shared]);
  await holdfast?.[Symbol.asyncDispose]();
  rmSync(copyFolder, { recursive: true, force: true });
});

async function removeLeft(projects = [name, copy, 'copied-three']): Promise<void> {
  for (const project of projects) {
    const ofProject = ['--filter', `label=com.docker.compose.project=${project}`];
    const containers = (await docker('ps', '--all', '--quiet', ...ofProject)).split('\n').filter(Boolean);
    if (containers.length > 0) await docker('rm', '--force', '--volumes', ...containers);
    for (const kind of ['volume', 'network']) {
      const left = (await docker(kind, 'ls', '--quiet', ...ofProject)).split('\n').filter(Boolean);
      if (left.length > 0) await docker(kind, 'rm', ...left);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** What an environment's app answers at the port that is published for it. */
async function answer(environment: string, path: string): Promise<string | undefined> {
  const place = (await docker('port', `${environment}-web-1`, '80/tcp')).trim();
  try {
    const response = await fetch(`http://${place}/${path}`);
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

async function inspect<Answer>(container: string, field: string): Promise<Answer> {
  return JSON.parse(await docker('inspect', '--format', `{{json ${field}}}`, container));
}

interface InspectedMount {
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
}

it('a new environment beside it answers with the same data, and shares nothing', async () => {
  await project.sh('store', 'echo newer > /data/file');
  await holdfast.mustRun(['backup:restore', backupId, '--target', copy, '--branch-from', name]);

  await eventually('the copy answers', async () => (await answer(copy, 'data/file')) === 'kept\n');
  expect(await answer(copy, 'index.html')).toBe('<p>copied</p>\n');
  expect(await answer(copy, 'built')).toBe('made of its own image\n');
  expect(readFileSync(join(copyFolder, 'notes/first'), 'utf8')).toBe('a note\n');
  expect(existsSync(join(copyFolder, 'compose.yaml'))).toBe(true);
  const variables = await inspect<string[]>(`${copy}-web-1`, '.Config.Env');
  expect(variables).toContain('GREETING=from a shell');
  expect(await inspect(`${copy}-web-1`, '.HostConfig.RestartPolicy.Name')).toBe('unless-stopped');
  expect(await docker('exec', `${copy}-store-1`, 'cat', '/shared/file')).toBe('of all\n');

  const sources = async (container: string) =>
    (await inspect<InspectedMount[]>(container, '.Mounts')).map(({ Source }) => Source);
  for (const service of ['web', 'store']) {
    const original = await sources(`${name}-${service}-1`);
    for (const source of await sources(`${copy}-${service}-1`)) expect(original).not.toContain(source);
  }
  expect(await answer(name, 'data/file')).toBe('newer\n');
  writeFileSync(join(copyFolder, 'notes/second'), 'of the copy');
  expect(existsSync(join(project.folder, 'notes/second'))).toBe(false);

  const again = await holdfast.run(['backup:restore', backupId, '--target', copy, '--branch-from', name]);
  expect(again.status).toBe(6);
  expect(again.stderr).toContain('error[environment-exists]');
});

it('one whose server is killed while it is made is there wholly or not at all', async () => {
  const third = 'copied-three';
  const { job } = await holdfast
    .client()
    .call('backup.restore', { params: { backup: backupId }, body: { target: third, branchFrom: name } });
  const ofThird = ['--filter', `label=com.docker.compose.project=${third}`];
  const containers = async () => (await docker('ps', '--all', '--quiet', ...ofThird)).trim();
  await eventually('its containers are made', async () => (await containers()) !== '');
  await holdfast.killServer();
  await holdfast.startServer();
  await eventually('the job is over', async () => {
    const { state } = await holdfast.client().call('job.get', { params: { job: job.id } });
    return state !== 'queued' && state !== 'running';
  });
  const { state } = await holdfast.client().call('job.get', { params: { job: job.id } });
  if (state === 'failed') expect(await containers()).toBe('');
  else await eventually('it answers', async () => (await answer(third, 'data/file')) === 'kept\n');
  await removeLeft([third]);
  rmSync(join(dirname(project.folder), third), { recursive: true, force: true });
});

it('what is bound through a link is refused in a new environment, and nothing is left of it', async () => {
  const fifth = 'copied-five';
  const [notes, outside] = [join(project.folder, 'notes'), `${project.folder}-outside`];
  renameSync(notes, outside);
  symlinkSync(outside, notes);
  try {
    // What it leads to is in no backup, and was before: that is doubted.
    const made = await holdfast.run(['backup:create', name]);
    expect(made).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('./notes is not there any more'),
    });
    const id = made.stdout.trim();
    const refused = await holdfast.run(['backup:restore', id, '--target', fifth, '--branch-from', name]);
    expect(refused.stderr).toContain('error[code-refused]');
    expect(refused.status).toBe(5);
    const ofFifth = ['--filter', `label=com.docker.compose.project=${fifth}`];
    expect(await docker('ps', '--all', '--quiet', ...ofFifth)).toBe('');
    expect(await docker('volume', 'ls', '--quiet', ...ofFifth)).toBe('');
    expect(existsSync(join(dirname(project.folder), fifth))).toBe(false);
  } finally {
    rmSync(notes);
    renameSync(outside, notes);
  }
});

it('on another engine, which has nothing of it, it answers with the same data', async () => {
  const fourth = 'copied-four';
  const host = process.env.HOLDFAST_TEST_NODE2_SOCKET ?? '';
  const there = (...args: readonly string[]) => docker('--host', host, ...args);
  const remove = async (): Promise<void> => {
    const ofFourth = ['--filter', `label=com.docker.compose.project=${fourth}`];
    const words = async (...args: readonly string[]) =>
      (await there(...args, '--quiet', ...ofFourth)).split('\n').filter(Boolean);
    for (const id of await words('ps', '--all')) await there('rm', '--force', '--volumes', id);
    for (const name of await words('volume', 'ls')) await there('volume', 'rm', name);
    for (const id of await words('network', 'ls')) await there('network', 'rm', id);
    await run('docker', ['--host', host, 'rmi', '--force', image]);
    rmSync(join(dirname(project.folder), fourth), { recursive: true, force: true });
  };
  await remove();
  await holdfast.mustRun(['node:add', 'second', '--host', host]);
  const target = ['--target', fourth, '--branch-from', name, '--node', 'second'];
  await holdfast.mustRun(['backup:restore', backupId, ...target, '--resources-init', 'minimum']);
  const limits = await there('inspect', '--format', '{{.HostConfig.Memory}}', `${fourth}-store-1`);
  expect(limits.trim()).toBe(String(256 * 2 ** 20));
  const fetched = () => there('exec', `${fourth}-web-1`, 'wget', '-qO-', 'http://127.0.0.1/data/file');
  await eventually('the copy answers', async () => (await fetched()) === 'kept\n');
  expect(await there('exec', `${fourth}-web-1`, 'cat', '/site/built')).toBe('made of its own image\n');
  expect(await there('exec', `${fourth}-store-1`, 'cat', '/shared/file')).toBe('of all\n');
  await remove();
});

it('a backup of the new environment is its own', async () => {
  const id = await holdfast.createBackup(copy);
  const backup = await holdfast.getBackup(id);
  expect(backup).toMatchObject({ environmentName: copy, status: 'ready' });
});

it('after `down -v`, without its image and its folder, all of it comes back from the backup alone', async () => {
  const limits = '{{.HostConfig.Memory}} {{json .Config.Cmd}} {{json .HostConfig.Mounts}}';
  const described = await docker('inspect', '--format', limits, `${name}-store-1`);
  await project.compose('down', '--volumes', '--timeout', '0');
  await docker('rm', '--force', '--volumes', `${copy}-web-1`);
  await docker('rmi', '--force', image);
  rmSync(project.folder, { recursive: true });
  await docker('volume', 'rm', shared);
  const refused = await holdfast.run(['backup:restore', backupId, '--yes']);
  expect(refused.stderr).toContain('error[volume-unknown]');
  expect(refused.stderr).toContain(shared);
  await holdfast.mustRun(['backup:restore', backupId, '--create-external', '--yes']);
  expect(await project.sh('store', 'cat /shared/file')).toBe('of all\n');
  await eventually('the app answers', async () => (await answer(name, 'data/file')) === 'kept\n');
  expect(await answer(name, 'built')).toBe('made of its own image\n');
  expect(await inspect<string[]>(`${name}-web-1`, '.Config.Env')).toContain('GREETING=from a shell');
  expect(await docker('inspect', '--format', limits, `${name}-store-1`)).toBe(described);
  expect(readFileSync(join(project.folder, 'notes/first'), 'utf8')).toBe('a note\n');
  // To Compose it is the environment that it once made.
  const ids = () =>
    docker('ps', '--quiet', '--no-trunc', '--filter', `label=com.docker.compose.project=${name}`);
  const before = await ids();
  await project.compose('up', '--detach');
  expect(await ids()).toBe(before);
});

it('containers that could do more to the machine than now, or that an archive asks such for, have to be allowed', async () => {
  const more = join(project.folder, 'more.yaml');
  writeFileSync(more, 'services: { store: { cap_add: [NET_ADMIN] } }\n');
  await project.compose('--file', 'compose.yaml', '--file', more, 'up', '--detach');
  const able = await holdfast.createBackup(name);
  rmSync(more);
  await project.compose('up', '--detach');
  const capabilities = () => inspect<string[] | null>(`${name}-store-1`, '.HostConfig.CapAdd');
  expect(await capabilities()).toBeNull();

  const asked = 'store has the capability NET_ADMIN.';
  for (const option of ['--dry-run', '--yes']) {
    const refused = await holdfast.run(['backup:restore', able, option]);
    expect(refused.stderr).toContain('error[code-refused]');
    expect(refused.stderr).toContain(asked);
  }
  expect(await capabilities()).toBeNull();
  await holdfast.mustRun(['backup:restore', able, '--allow-privileges', '--yes']);
  expect(await capabilities()).toEqual(['NET_ADMIN']);
  // What there was before a restore is nothing new.
  for (const expected of [null, ['NET_ADMIN']]) {
    await holdfast.mustRun(['backup:restore', '--environment', name, '--undo', '--yes']);
    expect(await capabilities()).toEqual(expected);
  }

  const archive = join(tmpdir(), 'holdfast-able.tar.zst');
  await holdfast.mustRun(['backup:download', able, '-o', archive]);
  const imported = (await holdfast.mustRun(['backup:import', name, '--file', archive])).trim();
  rmSync(archive);
  await project.compose('down', '--volumes', '--timeout', '0');
  const refused = await holdfast.run(['backup:restore', imported, '--yes']);
  expect(refused.stderr).toContain(asked);
  await holdfast.mustRun(['backup:restore', imported, '--allow-privileges', '--yes']);
  expect(await capabilities()).toEqual(['NET_ADMIN']);
});

it('an image that was imported is not loaded: it could take the name of any other', async () => {
  const archive = join(tmpdir(), 'holdfast-copied.tar.zst');
  await holdfast.mustRun(['backup:download', backupId, '-o', archive]);
  const imported = (await holdfast.mustRun(['backup:import', name, '--file', archive])).trim();
  rmSync(archive);
  await project.compose('down', '--volumes', '--timeout', '0');
  await docker('rmi', '--force', image);
  const refused = await holdfast.run(['backup:restore', imported, '--yes']);
  expect(refused.stderr).toContain('error[image-unknown]');
  expect((await run('docker', ['image', 'inspect', image])).status).not.toBe(0);
  const ofProject = ['--filter', `label=com.docker.compose.project=${name}`];
  expect(await docker('ps', '--all', '--quiet', ...ofProject)).toBe('');
});
