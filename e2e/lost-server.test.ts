import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compareTrees } from '@holdfast/engine/testing';
import { type Backup, routes } from '@holdfast/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposeProject, volumeFolder } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { checkWithRestic, restic } from './support/restic.ts';

/** The server's machine is lost. What is left: the vault, the recovery kit, the apps. */
let folder: string;
let vault: string;
let kit: string;
let shop: ComposeProject;
let blog: ComposeProject;
let holdfast: Holdfast;
let backups: readonly Backup[];
let environments: readonly { readonly id: string; readonly name: string }[];

const others: Holdfast[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-lost-'));
  vault = join(folder, 'vault');
  kit = join(folder, 'kit.txt');
  shop = await ComposeProject.up('small', 'lostshop');
  blog = await ComposeProject.up('small', 'lostblog');
  for (const [project, what] of [
    [shop, 'orders'],
    [blog, 'posts'],
  ] as const) {
    await project.sh('app', `mkdir /files/deep; echo ${what} > /files/deep/note; chown -R 12:34 /files/deep`);
  }
  holdfast = await Holdfast.start({ HOLDFAST_VAULT: vault });
});

afterAll(async () => {
  for (const each of [...others, holdfast]) await each?.[Symbol.asyncDispose]();
  for (const project of [shop, blog]) await project?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** An installation that is not started yet, on the same vault. */
function fresh(env: Readonly<Record<string, string>> = {}): Holdfast {
  const made = new Holdfast({ HOLDFAST_VAULT: vault, ...env });
  others.push(made);
  return made;
}

async function allBackups(of: Holdfast): Promise<readonly Backup[]> {
  const list = routes['backup.list'].response.parse(
    await of.client().call('backup.list', { query: { limit: 100 } }),
  );
  return await Promise.all(list.backups.map(async ({ id }) => await of.getBackup(id)));
}

async function allEnvironments(of: Holdfast) {
  const { environments: listed } = await of.client().call('environment.list', {});
  return listed
    .filter(({ name }) => name.startsWith('lost'))
    .map(({ id, name, state, lastBackupAtMs }) => ({ id, name, state, lastBackupAtMs }));
}

/** All but where the new installation has its keys, and what it calls the job. */
function lasting({ passwordFile: _file, jobId: _job, ...backup }: Backup) {
  return backup;
}

function newestOf(name: string): Backup {
  const found = backups.find(({ environmentName }) => environmentName === name);
  if (found === undefined) throw new Error(`${name} has no backup.`);
  return found;
}

it('two environments are backed up, the kit is taken, and the data directory is lost', async () => {
  await holdfast.createBackup('lostshop', '--retention', '30d');
  await shop.sh('app', 'echo more >> /files/deep/note');
  await holdfast.createBackup('lostshop', '--description', 'the newest');
  await holdfast.createBackup('lostblog', '--live');
  backups = await allBackups(holdfast);
  expect(backups.map(({ status }) => status)).toEqual(['ready', 'ready', 'ready']);
  environments = await allEnvironments(holdfast);
  await holdfast.mustRun(['vault:kit', '-o', kit]);
  await holdfast.killServer();
  rmSync(holdfast.dataDirectory, { recursive: true });
});

it('stock restic alone restores a volume with what the kit says', async () => {
  const text = readFileSync(kit, 'utf8');
  const told = /location: +(?<location>.+)\n +recovery key: +(?<key>[0-9a-f]{64})\n/.exec(text)?.groups;
  expect(told?.location).toBe(vault);
  const passwordFile = join(folder, 'key');
  writeFileSync(passwordFile, told?.key ?? '');
  const name = readdirSync(vault).find((each) => each.startsWith('lostblog-'));
  const repository = { repository: join(vault, name ?? ''), passwordFile };
  const { parts } = newestOf('lostblog');
  const part = parts.find((each) => each.name === 'lostblog_files');
  const target = join(folder, 'by-restic');
  await restic(repository, ['restore', part?.snapshotId ?? '', '--target', target]);
  expect(compareTrees(await volumeFolder('lostblog_files'), join(target, 'data'))).toEqual([]);
});

it('a rebuild needs the key and the vault, and makes nothing where they are not', async () => {
  const lone = fresh();
  const keyless = await lone.run(['catalog:rebuild']);
  expect(keyless).toMatchObject({ status: 1, stderr: expect.stringContaining('error[secret-unreadable]') });
  expect(keyless.stderr).toContain('--recovery-key-file');
  const wrongKey = join(folder, 'wrong-key');
  writeFileSync(wrongKey, 'f'.repeat(64));
  const refused = await lone.run(['catalog:rebuild', '--recovery-key-file', wrongKey]);
  expect(refused).toMatchObject({ status: 5, stderr: expect.stringContaining('error[password-wrong]') });
  expect(readdirSync(lone.dataDirectory)).not.toContain('recovery');

  const elsewhere = join(folder, 'elsewhere');
  const missing = await fresh({ HOLDFAST_VAULT: elsewhere }).run([
    'catalog:rebuild',
    '--recovery-key-file',
    kit,
  ]);
  expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining('error[vault-missing]') });
  expect(readdirSync(folder)).not.toContain('elsewhere');
});

it('a rebuild that is killed at any moment is completed by the next', async () => {
  for (const timeoutMs of [600, 1800, 3600]) {
    const cutOff = fresh();
    await cutOff.run(['catalog:rebuild', '--recovery-key-file', kit], { timeoutMs });
    const completed = await cutOff.run(['catalog:rebuild', '--recovery-key-file', kit]);
    expect(completed.status, completed.stderr).toBe(0);
    await cutOff.startServer();
    expect((await allBackups(cutOff)).map(lasting)).toEqual(backups.map(lasting));
    await cutOff.stopServer();
  }
});

it('a server that was started too early, and only looked around, is in nobody’s way', async () => {
  const early = fresh();
  await early.startServer();
  expect((await allEnvironments(early)).map(({ lastBackupAtMs }) => lastBackupAtMs)).toEqual([null, null]);
  await early.stopServer();
  const own = await early.run(['catalog:rebuild']);
  expect(own).toMatchObject({ status: 5, stderr: expect.stringContaining('error[password-wrong]') });
  const rebuilt = await early.run(['catalog:rebuild', '--recovery-key-file', kit]);
  expect(rebuilt.status, rebuilt.stderr).toBe(0);
  const keys = readdirSync(join(early.dataDirectory, 'recovery'));
  expect(keys.sort()).toEqual(['default.key', expect.stringMatching(/^default\.key\.\w+\.replaced$/)]);
  // Its key opens what the catalog counts on now: no other takes its place.
  const refused = await early.run(['catalog:rebuild', '--recovery-key-file', join(folder, 'wrong-key')]);
  expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('error[usage-invalid]') });
  await early.startServer();
  expect(await allEnvironments(early)).toEqual(environments);
  await early.stopServer();
});

it('a fresh installation has every backup and environment again, under the same ids', async () => {
  holdfast = fresh();
  const rebuilt = await holdfast.run(['catalog', 'rebuild', '--recovery-key-file', kit]);
  expect(rebuilt.status, rebuilt.stderr).toBe(0);
  expect(rebuilt.stdout).toMatch(/^lostblog-\w+: lostblog \(env_\w+\), 1 backup taken in, 0 known already$/m);
  expect(rebuilt.stdout).toMatch(
    /^lostshop-\w+: lostshop \(env_\w+\), 2 backups taken in, 0 known already$/m,
  );

  await holdfast.startServer();
  expect(await allEnvironments(holdfast)).toEqual(environments);
  expect((await allBackups(holdfast)).map(lasting)).toEqual(backups.map(lasting));
  expect((await holdfast.mustRun(['vault:list', '-c', 'status', '--format', 'csv'])).split('\n')[1]).toBe(
    'ok',
  );
  // What the first one noted: that it made the repository.
  const first = backups.findLast(({ environmentName }) => environmentName === 'lostshop');
  expect(await holdfast.mustRun(['backup:log', first?.id ?? ''])).toContain('Making the repository');
  // The kit stays good: it has the keys that there are.
  const again = join(folder, 'kit-again.txt');
  await holdfast.mustRun(['vault:kit', '-o', again]);
  const withoutDate = (path: string) => readFileSync(path, 'utf8').replace(/^Made .*$/m, '');
  expect(withoutDate(again)).toBe(withoutDate(kit));

  const busy = await holdfast.run(['catalog:rebuild']);
  expect(busy).toMatchObject({ status: 6, stderr: expect.stringContaining('error[server-already-running]') });
});

it('backup:restore brings an environment back from it', async () => {
  await shop.sh('app', 'rm -r /files/deep; echo wrong > /files/other');
  await holdfast.mustRun(['backup:restore', newestOf('lostshop').id, '--yes']);
  expect(await shop.sh('app', 'cat /files/deep/note; ls /files; stat -c %u:%g /files/deep')).toBe(
    'orders\nmore\ndeep\n12:34\n',
  );
});

it('a further backup goes into the same repository, by a password of its own', async () => {
  const before = newestOf('lostshop');
  const backup = await holdfast.getBackup(await holdfast.createBackup('lostshop'));
  expect(backup).toMatchObject({ status: 'ready', repository: before.repository });
  expect(readdirSync(vault).filter((name) => name.startsWith('lostshop-'))).toHaveLength(1);
  await checkWithRestic(backup);
  await checkWithRestic({ ...backup, repository: newestOf('lostblog').repository });
});

it('running it again changes nothing', async () => {
  const known = await allBackups(holdfast);
  await holdfast.stopServer();
  const keysOf = () =>
    readdirSync(vault, { recursive: true }).filter((path) => String(path).includes('/keys/'));
  const keys = keysOf();
  const again = await holdfast.run(['catalog:rebuild', '--format', 'json']);
  expect(again.status, again.stderr).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({
    repositories: [
      { environmentName: 'lostblog', added: 0, known: 1 },
      { environmentName: 'lostshop', added: 0, known: 4 },
    ],
    warnings: [],
  });
  expect(keysOf()).toEqual(keys);
  await holdfast.startServer();
  expect(await allBackups(holdfast)).toEqual(known);
});

it('a repository that is broken is named, a backup that has lost a part is damaged, and all else is taken in', async () => {
  const copy = join(folder, 'copy');
  cpSync(vault, copy, { recursive: true });
  const moved = (of: Backup) => join(copy, basename(of.repository));
  renameSync(join(moved(newestOf('lostblog')), 'config'), join(folder, 'config'));
  const lost = newestOf('lostshop').parts[0];
  rmSync(join(moved(newestOf('lostshop')), 'snapshots', lost?.snapshotId ?? ''));

  const partly = fresh({ HOLDFAST_VAULT: copy });
  const rebuilt = await partly.run(['catalog:rebuild', '--recovery-key-file', kit]);
  expect(rebuilt.status).toBe(3);
  expect(rebuilt.stderr).toMatch(/^warning: lostblog-\w+: It was not taken in\. .* has no config any more/m);
  expect(rebuilt.stderr).toContain(`${newestOf('lostshop').id} has lost ${lost?.name}`);
  await partly.startServer();
  const states = (await allBackups(partly)).map(({ id, status }) => [id, status]);
  expect(states).toHaveLength(4);
  expect(states.filter(([, status]) => status !== 'ready')).toEqual([[newestOf('lostshop').id, 'damaged']]);

  // Mended, it is taken in by the next.
  await partly.stopServer();
  renameSync(join(folder, 'config'), join(moved(newestOf('lostblog')), 'config'));
  const mended = await partly.run(['catalog:rebuild']);
  expect(mended.status).toBe(3);
  expect(mended.stdout).toMatch(/lostblog .* 1 backup taken in/);
});
