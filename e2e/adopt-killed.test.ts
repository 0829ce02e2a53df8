import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Backup, routes } from '@holdfast/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Holdfast } from './support/holdfast.ts';
import { checkWithRestic, restic } from './support/restic.ts';

/** A server that dies while it adopts, and one that is lost after it has. */
const snapshots = 5;
let folder: string;
let vault: string;
let source: string;
let passwordFile: string;
let holdfast: Holdfast;
let backups: readonly Backup[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-adopt-killed-'));
  vault = join(folder, 'vault');
  source = join(folder, 'desk');
  passwordFile = join(folder, 'password');
  mkdirSync(source);
  writeFileSync(passwordFile, "the owner's");
  holdfast = await Holdfast.start({ HOLDFAST_VAULT: vault });
  // The vault is made with the first repository of the server's own; here there is none before.
  mkdirSync(join(vault, 'hosts'), { recursive: true });
  await restic(desk(), ['init']);
  for (let count = 0; count < snapshots; count += 1) {
    writeFileSync(join(source, 'note'), String(count));
    await restic(desk(), ['backup', source, '--host', 'desk']);
  }
});

afterAll(async () => {
  await holdfast?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const desk = () => ({ repository: join(vault, 'hosts', 'desk'), passwordFile });

async function allBackups(): Promise<readonly Backup[]> {
  const query = { environment: 'desk', limit: 100 };
  const list = routes['backup.list'].response.parse(await holdfast.client().call('backup.list', { query }));
  return await Promise.all(list.backups.map(async ({ id }) => await holdfast.getBackup(id)));
}

it('a server that is killed while it adopts goes on when it is back', async () => {
  const args = ['vault:adopt', 'default', 'hosts/desk', '--password-file', passwordFile, '--no-wait'];
  const job = (await holdfast.mustRun(args)).trim();
  for (const afterMs of [1500, 3500]) {
    await delay(afterMs);
    await holdfast.killServer();
    await holdfast.startServer();
  }
  const watched = await holdfast.run(['job:watch', job]);
  expect(watched.status, watched.stderr).toBe(0);
  backups = await allBackups();
  expect(backups.map(({ status }) => status)).toEqual(Array.from({ length: snapshots }, () => 'ready'));
  // Those of its owner, of the server and of the vault: no password was made up twice.
  expect((await restic(desk(), ['key', 'list', '--json'])).match(/"id"/g)).toHaveLength(3);
  await checkWithRestic(desk());
});

it('one that is of no app is restored nowhere by itself, and it is said where it can be', async () => {
  const refused = await holdfast.run(['backup:restore', backups[0]?.id ?? '', '--yes']);
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('--target');
});

it('a rebuilt catalog has what was adopted, also where that lies deeper', async () => {
  const kit = join(folder, 'kit.txt');
  await holdfast.mustRun(['vault:kit', '-o', kit]);
  await holdfast[Symbol.asyncDispose]();
  holdfast = new Holdfast({ HOLDFAST_VAULT: vault });
  const rebuilt = await holdfast.run(['catalog:rebuild', '--recovery-key-file', kit]);
  expect(rebuilt.status, rebuilt.stderr).toBe(0);
  expect(rebuilt.stdout).toMatch(/^hosts\/desk: desk \(env_\w+\), 5 backups taken in, 0 known already$/m);
  await holdfast.startServer();
  const lasting = ({ passwordFile: _file, jobId: _job, ...backup }: Backup) => backup;
  expect((await allBackups()).map(lasting)).toEqual(backups.map(lasting));

  writeFileSync(join(source, 'note'), 'later');
  await restic(desk(), ['backup', source, '--host', 'desk']);
  await holdfast.mustRun(['vault:adopt', 'default', 'hosts/desk']);
  expect((await allBackups()).slice(1).map(({ id }) => id)).toEqual(backups.map(({ id }) => id));
});
