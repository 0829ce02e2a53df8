import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Bucket } from './support/bucket.ts';
import { ComposeProject } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { checkWithRestic } from './support/restic.ts';

/** Vaults on a real S3 server, and what goes wrong with them. In order: each goes on where the one before left off. */
let bucket: Bucket;
let app: ComposeProject;
let holdfast: Holdfast;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-vaults-'));
  bucket = await Bucket.make();
  app = await ComposeProject.up('small', 'vaulted');
  await app.sh(
    'app',
    'mkdir /files/deep; echo first > /files/deep/note; head -c 300000 /dev/urandom > /files/large',
  );
  holdfast = await Holdfast.start();
});

afterAll(async () => {
  await holdfast?.[Symbol.asyncDispose]();
  await app?.[Symbol.asyncDispose]();
  await bucket?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const addBucket = (name: string, ...words: readonly string[]) =>
  holdfast.run(['vault:add', name, '--s3', `${bucket.place}/night`, '--key-id', bucket.key.id, ...words]);

async function vaults(): Promise<readonly Record<string, unknown>[]> {
  const list = JSON.parse(await holdfast.mustRun(['vault:list', '--format', 'json'])) as {
    vaults?: Record<string, unknown>[];
  };
  return list.vaults ?? (list as unknown as Record<string, unknown>[]);
}

async function statusOf(name: string): Promise<unknown> {
  return (await vaults()).find((vault) => vault.name === name)?.status;
}

it('a bucket is tried out before it becomes a vault; what does not work is told, and changes nothing', async () => {
  const wrong = join(folder, 'wrong');
  writeFileSync(wrong, 'not the secret');
  const refused = await addBucket('cloud', '--key-secret-file', wrong);
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toContain('error[storage-credentials-wrong]');
  expect(refused.stderr).not.toContain('not the secret');
  const nobody = await holdfast.run([
    ...[
      'vault:add',
      'cloud',
      '--s3',
      'http://127.0.0.1:9/bucket',
      '--key-id',
      'a',
      '--key-secret-file',
      wrong,
    ],
  ]);
  expect(nobody.stderr).toContain('error[storage-unreachable]');
  expect(
    (await holdfast.run(['vault:add', 'cloud', '--path', join(holdfast.dataDirectory, 'x')])).status,
  ).toBe(2);
  expect((await vaults()).map(({ name }) => name)).toEqual(['default']);

  const added = await addBucket('cloud', '--key-secret-file', bucket.key.file, '--default');
  expect(added).toMatchObject({ status: 0, stdout: expect.stringMatching(/^vlt_\w+\n$/) });
  expect(await vaults()).toMatchObject([
    { name: 'cloud', isDefault: true, status: 'ok', keyId: bucket.key.id },
    { name: 'default', isDefault: false },
  ]);
  expect(JSON.stringify(await vaults())).not.toContain(bucket.key.secret);
  expect(await bucket.list()).toEqual(['night/holdfast-vault.json']);
  expect(await addBucket('again', '--key-secret-file', bucket.key.file)).toMatchObject({ status: 6 });
});

it('backups go to it and come back from it, and stock restic reads it with the key of the kit', async () => {
  const backup = await holdfast.createBackup('vaulted');
  await app.sh('app', 'echo second > /files/deep/note; rm /files/large');
  const restored = await holdfast.run(['backup:restore', backup, '--yes']);
  expect(restored.status, restored.stderr).toBe(0);
  expect(await app.sh('app', 'cat /files/deep/note; wc -c < /files/large')).toBe('first\n300000\n');

  const usage = await holdfast.mustRun([
    'vault:usage',
    'cloud',
    '--format',
    'csv',
    '-c',
    'environment,files',
  ]);
  expect(usage).toMatch(/^environment,files\nvaulted,\d+\n$/);
  expect(await holdfast.mustRun(['vault:test', 'cloud'])).toContain(
    'All that it held is there: 1 repository.',
  );
  const kit = await holdfast.mustRun(['vault:kit']);
  const key = join(folder, 'key');
  writeFileSync(key, /Vault cloud.*\n.*\n {2}recovery key: (?<key>\w+)/.exec(kit)?.groups?.key ?? '');
  const [config = ''] = (await bucket.list()).filter((name) => name.endsWith('/config'));
  const repository = `s3:${bucket.place}/${config.slice(0, -'/config'.length)}`;
  await checkWithRestic({ repository, passwordFile: key, env: bucket.env() });
  expect(readFileSync(join(holdfast.dataDirectory, 'catalog.sqlite')).includes(bucket.key.secret)).toBe(
    false,
  );
});

it('a key that was replaced is told, and put in by vault:update without touching the backups', async () => {
  await bucket.replaceKey();
  const { key } = bucket;
  const failed = await holdfast.run(['backup:create', 'vaulted']);
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('error[storage-credentials-wrong]');
  expect(failed.stderr).toContain('vault:update');
  expect((await holdfast.run(['vault:test', 'cloud'])).status).toBe(1);
  expect(await statusOf('cloud')).toBe('failing');
  const wrong = join(folder, 'wrong');
  const update = ['vault:update', 'cloud', '--key-id', key.id, '--key-secret-file'];
  expect((await holdfast.run([...update, wrong])).stderr).toContain('error[storage-credentials-wrong]');
  await holdfast.mustRun([...update, key.file]);
  expect(await statusOf('cloud')).toBe('ok');
  await holdfast.createBackup('vaulted');
});

it('a bucket that is full fails the backup, and keeps every one before', async () => {
  await app.sh('app', 'head -c 4000000 /dev/urandom > /files/more');
  await bucket.setQuota(1_000_000);
  const failed = await holdfast.run(['backup:create', 'vaulted']);
  expect(failed.status, failed.stderr).toBe(1);
  expect(failed.stderr).toContain('error[storage-full]');
  await bucket.setQuota(null);
  const good = await holdfast.createBackup('vaulted');
  const restored = await holdfast.run(['backup:restore', good, '--yes']);
  expect(restored.status, restored.stderr).toBe(0);
});

it('packs that are removed behind its back damage what needs them, and nothing else', async () => {
  const sound = await holdfast.createBackup('vaulted');
  const before = new Set(await bucket.list());
  await app.sh('app', 'head -c 500000 /dev/urandom > /files/removed');
  const hit = await holdfast.createBackup('vaulted');
  await bucket.remove(
    ...(await bucket.list()).filter((name) => name.includes('/data/') && !before.has(name)),
  );
  const checked = await holdfast.run(['vault:check', 'cloud']);
  expect({ status: checked.status, names: checked.stdout.includes(hit) }).toEqual({ status: 1, names: true });
  expect((await holdfast.getBackup(hit)).error?.code).toBe('blob-missing');
  expect((await holdfast.getBackup(sound)).status).toBe('ready');
  // The file is there still: it is stored again.
  const next = await holdfast.createBackup('vaulted');
  const restored = await holdfast.run(['backup:restore', next, '--yes']);
  expect(restored.status, restored.stderr).toBe(0);
  await holdfast.mustRun(['backup:delete', hit, '--yes']);
  expect((await holdfast.run(['vault:check', 'cloud'])).status).toBe(0);
});

it('a repository that is gone is not made anew: the vault is missing', async () => {
  const other = await ComposeProject.up('small', 'vaultless');
  try {
    const before = await bucket.list();
    const marker = 'night/holdfast-vault.json';
    await bucket.remove(marker);
    const refused = await holdfast.run(['backup:create', 'vaultless']);
    expect(refused.stderr).toContain('error[vault-missing]');
    expect(await statusOf('cloud')).toBe('missing');
    expect((await bucket.list()).length).toBe(before.length - 1);
    const { id } = (await vaults()).find(({ name }) => name === 'cloud') ?? {};
    await bucket.put(marker, JSON.stringify({ version: 1, id, name: 'cloud' }));
    const [config = ''] = before.filter((name) => name.endsWith('/config'));
    await bucket.remove(config);
    const gone = await holdfast.run(['backup:create', 'vaulted']);
    expect(gone.stderr).toContain('error[vault-missing]');
    expect((await bucket.list()).filter((name) => name.endsWith('/config'))).toEqual([]);
  } finally {
    await other[Symbol.asyncDispose]();
  }
});

it('a directory is a vault too; where it moved to is looked at before it counts', async () => {
  const disk = join(folder, 'disk');
  await holdfast.mustRun(['vault:add', 'disk', '--path', disk, '--default']);
  const backup = await holdfast.createBackup('vaulted');
  const moved = join(folder, 'moved');
  renameSync(disk, moved);
  expect(await statusOf('disk')).toBe('missing');
  expect((await holdfast.run(['backup:create', 'vaulted'])).stderr).toContain('error[vault-missing]');
  const nowhere = await holdfast.run(['vault:update', 'disk', '--path', join(folder, 'empty')]);
  expect(nowhere).toMatchObject({ status: 1 });
  await holdfast.mustRun(['vault:update', 'disk', '--path', moved]);
  expect(await statusOf('disk')).toBe('ok');
  expect((await holdfast.run(['backup:restore', backup, '--yes'])).status).toBe(0);

  expect(await holdfast.run(['vault:remove', 'disk'])).toMatchObject({ status: 6 });
  await holdfast.mustRun(['vault:update', 'default', '--default']);
  const kept = await holdfast.run(['vault:remove', 'disk']);
  expect(kept.stderr).toContain('error[vault-in-use]');
  await holdfast.mustRun(['vault:remove', 'disk', '--forget-backups']);
  expect((await holdfast.run(['backup:get', backup])).status).toBe(4);
});
