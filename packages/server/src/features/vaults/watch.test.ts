import { type Vault, vaultIdSchema } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { silentLogger } from '../../config/logger.ts';
import { createManualClock } from '../../testing/manual-clock.ts';
import { sqliteTestDatabase } from '../../testing/test-catalogs.ts';
import type { QueuedEvent } from '../notifications/notification-event.ts';
import { isNearlyFull, roomIn } from './room.ts';
import type { VaultRoom } from './service.ts';
import { createVaultStore } from './store.ts';
import { createVaultWatch } from './watch.ts';

const hourMs = 3_600_000;

interface Found extends Partial<Pick<VaultRoom, 'space' | 'measured'>> {
  readonly status?: Vault['status'];
  readonly problem?: string;
  readonly capacityBytes?: number;
}

async function setUp() {
  const stack = new AsyncDisposableStack();
  const clock = createManualClock(hourMs);
  const catalog = stack.use(await stack.use(await sqliteTestDatabase()).open(clock));
  const store = createVaultStore(catalog, clock);
  const { id, name, location, isDefault } = await store.ensure({
    id: vaultIdSchema.parse('vlt_0123456789abcdef'),
    name: 'nas',
    location: '/mnt/nas',
  });
  const told: QueuedEvent[] = [];
  const counted: number[] = [];
  /** A server that finds this now. */
  const look = async ({ status = 'ok', problem, space = null, measured = null, ...found }: Found) => {
    const { capacityBytes = null } = found;
    const left = roomIn({ space, measured, capacityBytes });
    const vault: Vault = {
      ...{ id, name, location, isDefault, status, capacityBytes, problem: problem ?? null, keyId: null },
      ...{ uploadBytesPerSecond: null, checkedAtMs: null, createdAtMs: 0 },
    };
    await createVaultWatch({
      catalog,
      store,
      vaults: {
        listRoom: async () => [{ vault, space, measured, left, isNearlyFull: isNearlyFull(left) }],
        usage: async () => {
          counted.push(clock.now());
          throw new Error('It cannot be counted now.');
        },
      },
      notify: async (event) => void told.push(event),
      now: () => clock.now(),
      logger: silentLogger,
    }).look();
    clock.advance(1000);
    return told.splice(0);
  };
  return { clock, look, counted, dispose: stack };
}

test('a vault that is missing is told once, however often and by whomever it is seen, until it is back', async () => {
  const { look, clock, dispose } = await setUp();
  await using _ = dispose;
  const missing = { status: 'missing' as const, problem: 'It held backups.' };
  const sinceMs = clock.now();
  expect(await look({})).toEqual([]);
  expect(await look(missing)).toMatchObject([
    { event: 'vault.missing', vault: { name: 'nas' }, sinceMs: sinceMs + 1000, reason: 'It held backups.' },
  ]);
  expect(await look(missing)).toEqual([]);
  // Whether it is back, one that cannot be reached does not tell.
  expect(await look({ status: 'failing' })).toEqual([]);
  expect(await look(missing)).toEqual([]);
  expect(await look({})).toEqual([]);
  expect(await look(missing)).toMatchObject([{ event: 'vault.missing', sinceMs: clock.now() - 1000 }]);
});

test('a vault is nearly full with less than a tenth free, until more than that and half is', async () => {
  const { look, dispose } = await setUp();
  await using _ = dispose;
  const free = async (freeBytes: number) => await look({ space: { freeBytes, totalBytes: 1000 } });
  expect(await free(100)).toEqual([]);
  expect(await free(99)).toMatchObject([{ event: 'vault.nearly-full', freeBytes: 99, totalBytes: 1000 }]);
  expect(await free(50)).toEqual([]);
  expect(await free(140)).toEqual([]);
  expect(await free(90)).toEqual([]);
  expect(await free(160)).toEqual([]);
  expect(await free(90)).toMatchObject([{ event: 'vault.nearly-full' }]);
});

test('of file system and capacity, the one that is nearer to its end counts', async () => {
  const { look, dispose } = await setUp();
  await using _ = dispose;
  const space = { freeBytes: 500, totalBytes: 1000 };
  const measured = { bytes: 95, atMs: hourMs };
  expect(await look({ space, measured, capacityBytes: 1000 })).toEqual([]);
  expect(await look({ space, measured, capacityBytes: 100 })).toMatchObject([
    { freeBytes: 5, totalBytes: 100 },
  ]);
});

test('what a vault with a capacity holds is counted once a day', async () => {
  const { look, counted, clock, dispose } = await setUp();
  await using _ = dispose;
  clock.advance(1000 * hourMs);
  const old = { capacityBytes: 100, measured: { bytes: 1, atMs: clock.now() - 25 * hourMs } };
  await look(old);
  await look({ ...old, measured: { bytes: 1, atMs: clock.now() - 23 * hourMs } });
  await look({ measured: { bytes: 1, atMs: 0 } });
  expect(counted).toHaveLength(1);
});
