import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposeProject } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { eventually, type Finished, mustRun } from './support/process.ts';

/** Each wrong input has a code, an exit status and a hint of its own, on one line, and no stack trace. */
let holdfast: Holdfast;
let project: ComposeProject;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-bad-'));
  holdfast = await Holdfast.start();
  project = await ComposeProject.up('small', 'badinput');
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await holdfast?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function expectRefusal(finished: Finished, code: string, status: number): void {
  expect(finished.stdout).toBe('');
  const lines = finished.stderr.split('\n').filter((line) => line.startsWith('error['));
  expect(lines, finished.stderr).toHaveLength(1);
  expect(lines[0]).toMatch(new RegExp(`^error\\[${code}\\]: .+\\. .+`));
  expect(finished.stderr).not.toMatch(/^\s+at /m);
  expect(finished.status).toBe(status);
}

it('an unknown environment', async () => {
  expectRefusal(await holdfast.run(['backup:create', 'nowhere']), 'environment-unknown', 4);
});

it('an unknown component', async () => {
  const refused = await holdfast.run(['backup:create', 'badinput', '--component', 'nobody']);
  expectRefusal(refused, 'component-unknown', 4);
});

it('an unknown backup', async () => {
  expectRefusal(await holdfast.run(['backup:get', 'bak_0000000000000000']), 'backup-unknown', 4);
});

it('a retention that is none', async () => {
  expectRefusal(await holdfast.run(['backup:create', 'badinput', '--retention', 'soon']), 'usage-invalid', 2);
});

it('an unknown command and an unknown option', async () => {
  expectRefusal(await holdfast.run(['backup:crate']), 'usage-invalid', 2);
  expectRefusal(await holdfast.run(['backup:list', '--sideways']), 'usage-invalid', 2);
});

it('no server', async () => {
  await using nowhere = new Holdfast();
  expectRefusal(await nowhere.run(['backup:list']), 'server-unreachable', 1);
});

it('a wrong token', async () => {
  const refused = await holdfast.run(['backup:list'], {
    env: { HOLDFAST_URL: holdfast.url, HOLDFAST_TOKEN: 'x' },
  });
  expectRefusal(refused, 'unauthenticated', 5);
});

it('no Docker Engine', async () => {
  await using without = await Holdfast.start({ DOCKER_HOST: `unix://${folder}/none.sock` });
  expectRefusal(await without.run(['environment:list']), 'docker-unreachable', 1);
  expectRefusal(await without.run(['backup:create', 'badinput']), 'docker-unreachable', 1);
});

it('a vault directory that is not writable', async () => {
  const vault = join(folder, 'read-only');
  mkdirSync(vault);
  await mustRun('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'none', vault]);
  try {
    await using readOnly = await Holdfast.start({ HOLDFAST_VAULT: vault });
    expectRefusal(await readOnly.run(['backup:create', 'badinput']), 'storage-not-writable', 1);
    expect(await project.containerState('app')).toBe('running');
  } finally {
    await mustRun('umount', [vault]);
  }
});

it('a vault directory that is full: the backup fails, the app goes on, and there is a backup once there is room', async () => {
  const vault = join(folder, 'full');
  mkdirSync(vault);
  await mustRun('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', vault]);
  try {
    await project.sh('app', 'dd if=/dev/urandom of=/files/big bs=1M count=8 2>/dev/null');
    await using full = await Holdfast.start({ HOLDFAST_VAULT: vault });
    const refused = await full.run(['backup:create', 'badinput']);
    expectRefusal({ ...refused, stdout: '' }, 'storage-full', 1);
    expect(await project.containerState('app')).toBe('running');
    expect(await full.mustRun(['backup:list', 'badinput', '--format', 'csv'])).toMatch(/failed/);
    await mustRun('mount', ['-o', 'remount,size=64m', vault]);
    const id = await full.createBackup('badinput');
    expect((await full.getBackup(id)).status).toBe('ready');
  } finally {
    await mustRun('umount', [vault]);
  }
});

it('a vault that held a repository and no longer does is missing, and nothing is made anew', async () => {
  const vault = join(folder, 'vanishing');
  mkdirSync(vault);
  await using vanishing = await Holdfast.start({ HOLDFAST_VAULT: vault });
  await vanishing.createBackup('badinput');
  for (const name of readdirSync(vault)) rmSync(join(vault, name), { recursive: true });
  const refused = await vanishing.run(['backup:create', 'badinput']);
  expectRefusal({ ...refused, stdout: '' }, 'vault-missing', 1);
  expect(readdirSync(vault)).toEqual([]);
});

it('a wrong password, a repository that is none, and one with a damaged config', async () => {
  const repository = join(folder, 'repository');
  const env = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: 'right' };
  expectRefusal(await holdfast.run(['repository:snapshots'], { env }), 'repository-missing', 4);
  await holdfast.mustRun(['repository:init'], { env });
  const wrong = await holdfast.run(['repository:snapshots'], { env: { ...env, RESTIC_PASSWORD: 'wrong' } });
  expectRefusal(wrong, 'password-wrong', 5);
  await mustRun('chmod', ['u+w', join(repository, 'config')]);
  writeFileSync(join(repository, 'config'), 'x'.repeat(155));
  expectRefusal(await holdfast.run(['repository:snapshots'], { env }), 'repository-damaged', 1);
});

it('an inactive environment', async () => {
  await using gone = await ComposeProject.up('small', 'inactive');
  await holdfast.createBackup('inactive');
  await gone.compose('down', '--timeout', '1');
  expectRefusal(await holdfast.run(['backup:create', 'inactive']), 'environment-inactive', 6);
});

it('a second job on a busy environment, which names the job that holds it', async () => {
  await project.sh('app', 'dd if=/dev/urandom of=/files/large bs=1M count=300 2>/dev/null');
  const first = await holdfast.run(['backup:create', 'badinput', '--no-wait']);
  expect(first.status, first.stderr).toBe(0);
  const refused = await holdfast.run(['backup:create', 'badinput']);
  expectRefusal(refused, 'environment-busy', 6);
  expect(refused.stderr).toMatch(/job_[0-9a-z]{16}/);
  await eventually(
    'the first backup ends',
    async () => (await holdfast.getBackup(first.stdout.trim())).status === 'ready',
  );
});

it('backup:delete and backup:restore with no terminal and no --yes', async () => {
  const id = await holdfast.createBackup('badinput');
  expectRefusal(await holdfast.run(['backup:delete', id]), 'confirmation-needed', 2);
  expectRefusal(await holdfast.run(['backup:restore', id]), 'confirmation-needed', 2);
  expect((await holdfast.getBackup(id)).status).toBe('ready');
  await holdfast.mustRun(['backup:delete', id, '--yes']);
  expectRefusal(await holdfast.run(['backup:get', id]), 'backup-unknown', 4);
});

it('a second server on the same data directory', async () => {
  expectRefusal(await holdfast.run(['server'], { timeoutMs: 30_000 }), 'server-already-running', 6);
  expect(existsSync(join(holdfast.dataDirectory, 'server.json'))).toBe(true);
});
