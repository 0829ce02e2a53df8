import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposeProject, docker, volumeFolder } from './support/compose.ts';
import { HoldfastContainer } from './support/holdfast-container.ts';
import { run } from './support/process.ts';

/** Code, as a server in a container restores it: it does not see the folders of the machine. */
const [name, copy, image] = ['placed', 'placed-two', 'holdfast-e2e/placed'];
const app = `${name}-app-1`;

let holdfast: HoldfastContainer;
let project: ComposeProject;
let backupId: string;
let copyFolder: string;

beforeAll(async () => {
  await removeCopy();
  holdfast = await HoldfastContainer.start();
  project = new ComposeProject('placed', name);
  copyFolder = join(dirname(project.folder), copy);
  rmSync(copyFolder, { recursive: true, force: true });
  await build();
  await project.start();
  await project.sh('app', 'echo kept > /data/file');
  backupId = await holdfast.createBackup(name);
});

afterAll(async () => {
  await removeCopy();
  await project?.[Symbol.asyncDispose]();
  await run('docker', ['rmi', '--force', image]);
  await holdfast?.[Symbol.asyncDispose]();
  rmSync(copyFolder, { recursive: true, force: true });
});

async function build(): Promise<void> {
  await docker('build', '--quiet', '--tag', image, join(project.folder, 'image'));
}

async function removeCopy(): Promise<void> {
  await run('docker', ['rm', '--force', '--volumes', `${copy}-app-1`]);
  await run('docker', ['volume', 'rm', `${copy}_data`]);
  await run('docker', ['network', 'rm', `${copy}_default`]);
}

it('an environment is made beside another, in a folder of its own', async () => {
  await holdfast.mustRun(['backup:restore', backupId, '--target', copy, '--branch-from', name]);
  expect(await docker('exec', `${copy}-app-1`, 'cat', '/data/file', '/notes/first', '/settings.ini')).toBe(
    'kept\na note\na = 1\n',
  );
  expect(readFileSync(join(copyFolder, 'notes/first'), 'utf8')).toBe('a note\n');
  expect(existsSync(join(copyFolder, 'compose.yaml'))).toBe(true);
  await docker('exec', `${copy}-app-1`, 'touch', '/notes/of-the-copy');
  expect(existsSync(join(project.folder, 'notes/of-the-copy'))).toBe(false);
});

it('one that cannot be made leaves no folder behind', async () => {
  const taken = 'placed-three';
  writeFileSync(join(dirname(project.folder), taken), '');
  try {
    const there = await holdfast.run(['backup:restore', backupId, '--target', taken, '--branch-from', name]);
    expect(there.stderr).toContain('error[environment-exists]');
  } finally {
    rmSync(join(dirname(project.folder), taken));
  }
  await docker('create', '--name', 'placed-four-app-1', 'holdfast-test/busybox');
  try {
    const options = ['--target', 'placed-four', '--branch-from', name];
    const refused = await holdfast.run(['backup:restore', backupId, ...options]);
    expect(refused.status).not.toBe(0);
    expect(existsSync(join(dirname(project.folder), 'placed-four'))).toBe(false);
  } finally {
    await docker('rm', '--force', 'placed-four-app-1');
  }
});

it('what runs until the next deploy is written beside the Compose files', async () => {
  writeFileSync(join(project.folder, 'image/version'), '2\n');
  await build();
  await project.compose('up', '--detach');
  expect(await docker('exec', app, 'cat', '/version')).toBe('2\n');
  await holdfast.mustRun(['backup:restore', backupId, '--yes']);
  expect(await docker('exec', app, 'cat', '/version')).toBe('1\n');
  await project.compose('-f', 'compose.yaml', '-f', 'compose.restored.yaml', 'up', '--detach');
  expect(await docker('exec', app, 'cat', '/version', '/data/file')).toBe('1\nkept\n');
});

it('when the server is lost, a command in a container makes its catalog again from vault and kit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-kit-'));
  await using fresh = await HoldfastContainer.install();
  try {
    const [kit, vault] = [join(folder, 'kit.txt'), join(folder, 'vault')];
    writeFileSync(kit, await holdfast.mustRun(['vault:kit']), { mode: 0o600 });
    cpSync(join(await volumeFolder(`${holdfast.project}_data`), 'vault'), vault, { recursive: true });
    const mounts = ['--volume', `${kit}:/kit.txt:ro`, '--volume', `${vault}:/mnt/vault`];
    const options = [...mounts, '--env', 'HOLDFAST_VAULT=/mnt/vault'];
    const rebuild = ['catalog:rebuild', '--recovery-key-file', '/kit.txt'];
    expect(await fresh.runOnce(options, rebuild)).toMatch(
      new RegExp(`: ${name} \\(env_\\w+\\), \\d+ backups? taken in`),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('after `down -v`, the folder and what is bound from it come back too', async () => {
  await project.compose('down', '--volumes', '--timeout', '0');
  rmSync(project.folder, { recursive: true });
  await holdfast.mustRun(['backup:restore', backupId, '--yes']);
  expect(await docker('exec', app, 'cat', '/data/file', '/notes/first', '/settings.ini')).toBe(
    'kept\na note\na = 1\n',
  );
  expect(readFileSync(join(project.folder, 'image/version'), 'utf8')).toBe('1\n');
});
