import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareTrees, makeEveryKind } from '@holdfast/engine/testing';
import { type Backup, isJobOver, routes } from '@holdfast/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Bucket } from './support/bucket.ts';
import { ComposeProject, volumeFolder } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { eventually, mustRun } from './support/process.ts';
import { restic } from './support/restic.ts';

/** Repositories that were there before: stock restic's, and those of a server that is lost. In order. */
let folder: string;
let nas: string;
let passwordFile: string;
let source: string;
let app: ComposeProject;
let bucket: Bucket;
let holdfast: Holdfast;

const others: Holdfast[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-adopt-'));
  nas = join(folder, 'nas');
  source = join(folder, 'home');
  passwordFile = join(folder, 'password');
  mkdirSync(nas);
  makeEveryKind(source);
  writeFileSync(passwordFile, "the owner's\n");
  bucket = await Bucket.make();
  app = await ComposeProject.up('small', 'adopted');
  await app.sh('app', 'mkdir /files/deep; echo first > /files/deep/note');
  holdfast = await Holdfast.start();
});

afterAll(async () => {
  for (const each of [...others, holdfast]) await each?.[Symbol.asyncDispose]();
  await app?.[Symbol.asyncDispose]();
  await bucket?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const laptop = () => ({ repository: join(nas, 'hosts', 'laptop'), passwordFile });

async function backupsOf(of: Holdfast, environment: string): Promise<readonly Backup[]> {
  const list = routes['backup.list'].response.parse(
    await of.client().call('backup.list', { query: { environment, limit: 100 } }),
  );
  return await Promise.all(list.backups.map(async ({ id }) => await of.getBackup(id)));
}

async function environmentNames(of: Holdfast): Promise<readonly string[]> {
  return (await of.client().call('environment.list', {})).environments.map(({ name }) => name);
}

it('what cannot be adopted is refused, shows no environment, and has nothing changed', async () => {
  await holdfast.mustRun(['vault:add', 'nas', '--path', nas]);
  const missing = await holdfast.run(['vault:adopt', 'nas', 'hosts/laptop', '--password-file', passwordFile]);
  expect(missing).toMatchObject({ status: 4, stderr: expect.stringContaining('error[repository-missing]') });
  await restic(laptop(), ['init']);
  const empty = await holdfast.run(['vault:adopt', 'nas', 'hosts/laptop', '--password-file', passwordFile]);
  expect(empty).toMatchObject({ status: 6, stderr: expect.stringContaining('error[repository-empty]') });

  await restic(laptop(), ['backup', source, '--host', 'laptop', '--tag', 'first']);
  appendFileSync(join(source, 'files', 'small'), 'more\n');
  await restic(laptop(), ['backup', source, '--host', 'laptop']);
  const wrong = join(folder, 'wrong');
  writeFileSync(wrong, 'not the password');
  const refused = await holdfast.run(['vault:adopt', 'nas', 'hosts/laptop', '--password-file', wrong]);
  expect(refused).toMatchObject({ status: 5, stderr: expect.stringContaining('error[password-wrong]') });
  const without = await holdfast.run(['vault:adopt', 'nas', 'hosts/laptop']);
  expect(without).toMatchObject({ status: 2, stderr: expect.stringContaining('--password-file') });
  for (const outside of ['../nas/hosts/laptop', '/etc', 'hosts//laptop', '.']) {
    const out = await holdfast.run(['vault:adopt', 'nas', outside, '--password-file', passwordFile]);
    expect(out).toMatchObject({ status: 2, stderr: expect.stringContaining('error[usage-invalid]') });
  }
  expect(await environmentNames(holdfast)).not.toContain('laptop');
  expect(readdirSync(join(laptop().repository, 'keys'))).toHaveLength(1);
  expect(holdfast.serverLog).not.toContain('not the password');
});

it('a dry run says what there would be', async () => {
  const args = ['vault:adopt', 'nas', 'hosts/laptop', '--password-file', passwordFile, '--dry-run'];
  const { status, stdout, stderr } = await holdfast.run(args);
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  expect(stderr.match(/Would be a backup: restic \w{8} of laptop/g)).toHaveLength(2);
  expect(readdirSync(join(laptop().repository, 'keys'))).toHaveLength(1);
  expect(await environmentNames(holdfast)).not.toContain('laptop');
});

it('the snapshots of a restic repository are backups: listed, looked into, downloaded, restored', async () => {
  const args = ['vault:adopt', 'nas', 'hosts/laptop', '--password-file', passwordFile];
  const adopted = await holdfast.run(args);
  expect(adopted).toMatchObject({ status: 0, stdout: expect.stringMatching(/^env_\w+\n$/) });
  expect(adopted.stderr).toContain('laptop has 2 backups');

  const [newest, first] = await backupsOf(holdfast, 'laptop');
  const snapshots = JSON.parse(await restic(laptop(), ['snapshots', '--tag', 'first', '--json'])) as {
    readonly time: string;
    readonly short_id: string;
  }[];
  expect(first).toMatchObject({
    status: 'ready',
    kind: 'imported',
    description: `restic ${snapshots[0]?.short_id} of laptop: ${source} (first)`,
    createdAtMs: Date.parse(snapshots[0]?.time ?? ''),
    repository: laptop().repository,
  });
  expect(await holdfast.mustRun(['backup:list', 'laptop', '--format', 'csv', '-c', 'id'])).toContain(
    first?.id,
  );
  const listed = await holdfast.mustRun(['backup:files', newest?.id ?? '', `${source}/links`]);
  expect(listed).toContain('relative');

  const archive = join(folder, 'laptop.tar');
  await holdfast.mustRun(['backup:download', newest?.id ?? '', '-o', archive]);
  await holdfast.mustRun(['backup:pin', newest?.id ?? '', '--reason', 'the last of the old laptop']);
  expect(await holdfast.getBackup(newest?.id ?? '')).toMatchObject({
    pinReason: 'the last of the old laptop',
  });
  const byRestic = join(folder, 'by-restic');
  await restic(laptop(), ['restore', newest?.parts[0]?.snapshotId ?? '', '--target', byRestic]);
  expect(compareTrees(source, join(byRestic, 'data'))).toEqual([]);
  await restic(laptop(), ['check', '--read-data', '--no-cache']);
});

it('what restic adds later is taken in by the next run, without the password', async () => {
  appendFileSync(join(source, 'files', 'small'), 'even more\n');
  await restic(laptop(), ['backup', source, '--host', 'laptop']);
  const before = await backupsOf(holdfast, 'laptop');
  await holdfast.mustRun(['vault:adopt', 'nas', 'hosts/laptop']);
  const after = await backupsOf(holdfast, 'laptop');
  expect(after).toHaveLength(3);
  expect(after.slice(1)).toEqual(before);
  const other = await holdfast.run(['vault:adopt', 'nas', 'hosts/laptop', '--environment', 'desk']);
  expect(other).toMatchObject({ status: 6, stderr: expect.stringContaining('error[repository-exists]') });
  expect(other.stderr).toContain('of the environment laptop already');
});

it('an inspection covers them, and deleting one leaves what its owner has', async () => {
  await holdfast.mustRun(['vault:check', 'nas']);
  const oldest = (await backupsOf(holdfast, 'laptop')).at(-1);
  await holdfast.mustRun(['backup:delete', oldest?.id ?? '', '--yes']);
  expect(await backupsOf(holdfast, 'laptop')).toHaveLength(2);
  // A prune follows by itself, and nobody else gets a lock meanwhile.
  await eventually('every job is over', async () => {
    const { jobs } = await holdfast.client().call('job.list', { query: { environment: 'laptop' } });
    return jobs.every(({ state }) => isJobOver(state));
  });
  const left = JSON.parse(await restic(laptop(), ['snapshots', '--host', 'laptop', '--json'])) as unknown[];
  expect(left).toHaveLength(3);
  await restic(laptop(), ['check', '--read-data', '--no-cache']);
});

it('a volume that restic has backed up is restored into the app that has it', async () => {
  const repository = join(nas, 'volumes');
  await restic({ repository, passwordFile }, ['init']);
  await restic({ repository, passwordFile }, ['backup', await volumeFolder('adopted_files')]);
  await app.sh('app', 'echo wrong > /files/deep/note; touch /files/new');
  await holdfast.mustRun(['vault:adopt', 'nas', 'volumes', '--password-file', passwordFile]);
  const [backup] = await backupsOf(holdfast, 'volumes');
  expect(backup?.parts).toMatchObject([{ name: 'adopted_files', source: { kind: 'volume' } }]);
  await holdfast.mustRun(['backup:restore', backup?.id ?? '', '--target', 'adopted', '--yes']);
  expect(await app.sh('app', 'cat /files/deep/note; ls /files')).toBe('first\ndeep\n');
  // Nowhere of its own: what it says of volumes is nobody's.
  const refused = await holdfast.run(['backup:restore', backup?.id ?? '', '--yes']);
  expect(refused.status).not.toBe(0);
  // Of the app itself, as its own.
  const again = join(nas, 'again');
  cpSync(repository, again, { recursive: true });
  const taken = await holdfast.run(['vault:adopt', 'nas', 'again', '--password-file', passwordFile]);
  expect(taken.stderr).toContain('error[repository-exists]');
});

it('an environment that is there takes a repository in where that is said', async () => {
  const repository = join(nas, 'adopted');
  await restic({ repository, passwordFile }, ['init']);
  await restic({ repository, passwordFile }, ['backup', await volumeFolder('adopted_files')]);
  const args = ['vault:adopt', 'nas', 'adopted', '--password-file', passwordFile];
  const inTheWay = await holdfast.run(args);
  expect(inTheWay).toMatchObject({ status: 6, stderr: expect.stringContaining('error[environment-exists]') });
  await holdfast.mustRun([...args, '--environment', 'adopted']);
  const [backup] = await backupsOf(holdfast, 'adopted').then((all) =>
    all.filter(({ kind }) => kind === 'imported'),
  );
  await app.sh('app', 'rm -r /files/deep');
  await holdfast.mustRun(['backup:restore', backup?.id ?? '', '--yes']);
  expect(await app.sh('app', 'cat /files/deep/note')).toBe('first\n');
});

it('a rebuilt catalog has what was adopted, also where that lies deeper', async () => {
  const kit = join(folder, 'kit.txt');
  await holdfast.mustRun(['vault:kit', '-o', kit]);
  const known = await backupsOf(holdfast, 'laptop');
  const fresh = new Holdfast();
  others.push(fresh);
  await fresh.startServer();
  await fresh.mustRun(['vault:add', 'nas', '--path', nas, '--recovery-key-file', kit]);
  const adopted = await fresh.run(['vault:adopt', 'nas']);
  // The copy that another environment was made of keeps none of the others from being taken in.
  expect([0, 3]).toContain(adopted.status);
  expect((await backupsOf(fresh, 'laptop')).map(({ id }) => id)).toEqual(known.map(({ id }) => id));
  expect((await backupsOf(fresh, 'laptop')).map(({ status }) => status)).toEqual(known.map(() => 'ready'));
  await fresh.stopServer();
});

it('the bucket of a lost server is taken in by a new one, which restores from it', async () => {
  const credentials = ['--key-id', bucket.key.id, '--key-secret-file', bucket.key.file];
  const place = ['--s3', `${bucket.place}/night`, ...credentials];
  await holdfast.mustRun(['vault:add', 'cloud', ...place, '--default']);
  await app.sh('app', 'echo cloud > /files/deep/note');
  const id = await holdfast.createBackup('adopted');
  const before = await holdfast.getBackup(id);
  const kit = join(folder, 'kit-cloud.txt');
  await holdfast.mustRun(['vault:kit', '-o', kit]);
  await holdfast.killServer();
  rmSync(holdfast.dataDirectory, { recursive: true });

  holdfast = await Holdfast.start();
  const keyless = await holdfast.run(['vault:add', 'cloud', ...place]);
  expect(keyless.stderr).toContain('error[secret-unreadable]');
  await holdfast.mustRun(['vault:add', 'cloud', ...place, '--default', '--recovery-key-file', kit]);
  const dry = await holdfast.run(['vault:adopt', 'cloud', '--dry-run']);
  expect(dry).toMatchObject({ status: 0, stdout: '' });
  expect(dry.stderr).toContain('is of adopted; backups that would be taken in: 1');
  const adopted = await holdfast.run(['vault:adopt', 'cloud']);
  expect(adopted.status, adopted.stderr).toBe(0);
  expect(adopted.stdout.trim()).toBe(before.environmentId);

  const { passwordFile: _file, jobId: _job, vaultId: _vault, ...lasting } = before;
  expect(await holdfast.getBackup(id)).toMatchObject(lasting);
  const again = await holdfast.run(['vault:adopt', 'cloud']);
  expect(again).toMatchObject({ status: 0, stdout: '' });
  expect(again.stderr).toContain('no repository that is not known already');

  await app.sh('app', 'rm -r /files/deep');
  await holdfast.mustRun(['backup:restore', id, '--yes']);
  expect(await app.sh('app', 'cat /files/deep/note')).toBe('cloud\n');
  // Later backups go on in the same repository.
  const next = await holdfast.getBackup(await holdfast.createBackup('adopted'));
  expect(next.repository).toBe(before.repository);
  expect(await environmentNames(holdfast)).not.toContainEqual(expect.stringContaining('/'));
});

it('an archive of an adopted backup is what was in it', async () => {
  const archive = join(folder, 'laptop.tar');
  const target = join(folder, 'unpacked');
  mkdirSync(target);
  await mustRun('tar', ['-xf', archive, '-C', target]);
  const text = readFileSync(join(target, 'holdfast-backup.json'), 'utf8');
  expect(JSON.parse(text)).toMatchObject({ backup: { kind: 'imported', environmentName: 'laptop' } });
});
