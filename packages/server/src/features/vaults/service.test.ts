import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VaultId } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { createIds } from '../../catalog/ids.ts';
import { createRecoveryKeys } from '../../secrets/recovery-key.ts';
import { createSealer } from '../../secrets/sealer.ts';
import { createManualClock } from '../../testing/manual-clock.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { sqliteTestDatabase } from '../../testing/test-catalogs.ts';
import { createVaultContents } from './contents-store.ts';
import type { ProbeVault } from './probe-vault.ts';
import { openVaultService } from './service.ts';
import { createVaultStore } from './store.ts';

async function setUp() {
  const stack = new AsyncDisposableStack();
  const clock = createManualClock();
  const { path } = stack.use(await temporaryDirectory());
  const vault = join(path, 'vault');
  const catalog = stack.use(await stack.use(await sqliteTestDatabase()).open(clock));
  const needsNoMover: ProbeVault = async () => {
    throw new Error('A directory needs no mover.');
  };
  const open = async (folders: readonly string[] = [], directory = vault, probe = needsNoMover) =>
    await openVaultService({
      catalog,
      store: createVaultStore(catalog, clock),
      contents: {
        ...createVaultContents(catalog),
        listHeld: async () => folders.map((folder) => ({ folder, environmentName: folder })),
      },
      recoveryKeys: createRecoveryKeys(path),
      sealer: createSealer(randomBytes(32)),
      ids: createIds(),
      probe,
      directory,
      dataDirectory: path,
      requireLasting: async () => {},
    });
  const makeRepository = async (folder: string): Promise<void> => {
    await mkdir(join(vault, folder));
    await writeFile(join(vault, folder, 'config'), 'x');
  };
  return { vault, path, clock, open, catalog, makeRepository, dispose: stack };
}

test('a vault that never held anything is made when it is first used, not before', async () => {
  const { vault, open, dispose } = await setUp();
  await using _ = dispose;
  const service = await open();
  expect(await service.list()).toMatchObject([
    { name: 'default', location: vault, isDefault: true, status: 'ok' },
  ]);
  await expect(readFile(join(vault, 'holdfast-vault.json'))).rejects.toThrow();
  await service.requireUsable(await service.getDefault(), []);
  await service.requireUsable(await service.getDefault(), []);
  const marker: unknown = JSON.parse(await readFile(join(vault, 'holdfast-vault.json'), 'utf8'));
  expect(marker).toEqual({ version: 1, id: (await service.getDefault()).id, name: 'default' });
});

test('a vault whose file system does not answer is told to be so, and nothing waits for it', async () => {
  const { vault, open, dispose } = await setUp();
  await using _ = dispose;
  const service = await open(['shop']);
  await mkdir(vault);
  const marker = join(vault, 'holdfast-vault.json');
  // Whoever opens it waits until somebody writes.
  execFileSync('mkfifo', [marker]);
  const expected = { status: 'failing', problem: `The file system of ${vault} does not answer.` };
  expect(await service.list()).toMatchObject([expected]);
  await expect(service.requireUsable(await service.getDefault(), ['shop'])).rejects.toMatchObject({
    code: 'storage-unreachable',
  });
  expect(await service.listRoom()).toMatchObject([{ vault: expected, space: null }]);
  await writeFile(marker, '');
}, 30_000);

test('a vault that held a repository and no longer does is missing, and is not made anew', async () => {
  const { vault, open, makeRepository, dispose } = await setUp();
  await using _ = dispose;
  const service = await open(['shop']);
  await (await open()).requireUsable(await service.getDefault(), []);
  await makeRepository('shop');
  await service.requireUsable(await service.getDefault(), ['shop']);
  expect((await service.list())[0]?.status).toBe('ok');

  await rename(join(vault, 'shop'), join(vault, 'elsewhere'));
  await expect(service.requireUsable(await service.getDefault(), ['shop'])).rejects.toMatchObject({
    code: 'vault-missing',
  });
  expect((await service.list())[0]?.status).toBe('missing');

  // As where its file system is not mounted.
  await rm(vault, { recursive: true });
  await mkdir(vault);
  await expect(service.requireUsable(await service.getDefault(), [])).rejects.toMatchObject({
    code: 'vault-missing',
  });
  expect((await service.list())[0]?.status).toBe('missing');
  await expect(readFile(join(vault, 'holdfast-vault.json'))).rejects.toThrow();
});

test("a new catalog takes over the vault that it finds, and another's vault is not used", async () => {
  const { vault, open, path, dispose } = await setUp();
  await using _ = dispose;
  const other = createIds().vault();
  await mkdir(vault);
  await writeFile(
    join(vault, 'holdfast-vault.json'),
    JSON.stringify({ version: 1, id: other, name: 'default' }),
  );
  const service = await open();
  expect((await service.getDefault()).id).toBe(other);
  await service.requireUsable(await service.getDefault(), []);

  const third: VaultId = createIds().vault();
  const elsewhere = join(path, 'elsewhere');
  await mkdir(elsewhere);
  await writeFile(
    join(elsewhere, 'holdfast-vault.json'),
    JSON.stringify({ version: 1, id: third, name: 'x' }),
  );
  const moved = await open([], elsewhere);
  await expect(moved.requireUsable(await moved.getDefault(), [])).rejects.toMatchObject({
    code: 'vault-missing',
  });
});

test.each([
  ['a file in its place', async (vault: string) => await writeFile(vault, ''), 'storage-not-writable'],
  [
    'a damaged marker',
    async (vault: string) => {
      await mkdir(vault);
      await writeFile(join(vault, 'holdfast-vault.json'), '{');
    },
    'vault-missing',
  ],
])('%s is told when it is used, and does not keep the server from starting', async (_, prepare, code) => {
  const { vault, open, dispose } = await setUp();
  await using __ = dispose;
  await prepare(vault);
  const service = await open();
  await expect(service.requireUsable(await service.getDefault(), [])).rejects.toMatchObject({ code });
});

// Root may write everywhere but where the kernel itself refuses.
test('a directory that cannot be written is told when it is used', async () => {
  const { open, dispose } = await setUp();
  await using _ = dispose;
  const service = await open([], '/proc/holdfast-vault');
  expect((await service.list())[0]?.status).toBe('ok');
  await expect(service.requireUsable(await service.getDefault(), [])).rejects.toMatchObject({
    code: 'storage-not-writable',
  });
});

test('what was counted is remembered, and told with the room that there is now', async () => {
  const { vault, open, clock, dispose } = await setUp();
  await using _ = dispose;
  const report = {
    kind: 'measured' as const,
    folders: [
      { folder: 'a', files: 2, bytes: 30 },
      { folder: 'b', files: 1, bytes: 12 },
    ],
    space: { freeBytes: 100, totalBytes: 200 },
  };
  const service = await open([], vault, (async () => report) as unknown as ProbeVault);
  expect(await service.listRoom()).toMatchObject([
    { vault: { name: 'default' }, space: null, measured: null },
  ]);
  await service.requireUsable(await service.getDefault(), []);
  const atMs = clock.now();
  expect(await service.usage('default')).toMatchObject({ bytes: 42, files: 3, freeBytes: 100 });
  clock.advance(1000);
  const [room] = await service.listRoom();
  expect(room?.measured).toEqual({ bytes: 42, atMs });
  expect(room?.space?.freeBytes).toBeGreaterThan(0);
  expect(room?.space?.totalBytes).toBeGreaterThanOrEqual(room?.space?.freeBytes ?? Infinity);
});
