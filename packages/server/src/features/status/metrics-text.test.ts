import { backupIdSchema, environmentIdSchema, vaultIdSchema } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { parseExposition } from '../../testing/exposition-format.ts';
import { type MetricFacts, metricsText } from './metrics-text.ts';
import type { LastBackup } from './store.ts';

const shopId = environmentIdSchema.parse('env_shop000000000000');
const blogId = environmentIdSchema.parse('env_blog000000000000');

const empty: MetricFacts = {
  nowMs: 1_000_000,
  environments: [],
  backupCounts: [],
  lastBackups: [],
  jobCounts: [],
  oldestQueuedAtMs: null,
  deliveries: [],
  vaults: [],
};

function last(change: Partial<LastBackup>): LastBackup {
  return {
    id: backupIdSchema.parse('bak_0123456789abcdef'),
    environmentId: shopId,
    status: 'ready',
    mode: 'consistent',
    madeNo: 1,
    createdAtMs: 500_000,
    durationMs: 2500,
    bytes: 300,
    storedBytes: 20,
    frozenMs: 85,
    error: null,
    ...change,
  };
}

function vault(name: string, location: string) {
  return {
    id: vaultIdSchema.parse('vlt_0123456789abcdef'),
    ...{ name, location, isDefault: false, status: 'ok' as const, problem: null, checkedAtMs: null },
    ...{ keyId: null, uploadBytesPerSecond: null, capacityBytes: null, createdAtMs: 0 },
  };
}

async function read(facts: MetricFacts | null) {
  const { samples } = parseExposition(await metricsText(facts, '1.2.3'));
  return (name: string, labels: Readonly<Record<string, string>> = {}) => {
    const wanted = Object.entries(labels);
    return samples
      .filter((each) => each.name === name && wanted.every(([label, value]) => each.labels[label] === value))
      .map(({ value }) => value);
  };
}

const shop = { id: shopId, name: 'shop', nodeName: 'local', isActive: true };

test('of an environment: when it was last backed up, how, and whether it failed since', async () => {
  const lastBackups = [
    last({ mode: 'live', madeNo: 5, createdAtMs: 900_000, durationMs: null, frozenMs: null }),
    last({ madeNo: 3 }),
    last({ status: 'failed', madeNo: 6, createdAtMs: 950_500, bytes: null, storedBytes: null }),
  ];
  const blog = { ...shop, id: blogId, name: 'blog', isActive: false };
  const backupCounts = [
    { environmentId: shopId, kind: 'manual' as const, status: 'ready' as const, count: 7 },
  ];
  const value = await read({ ...empty, environments: [blog, shop], lastBackups, backupCounts });
  const of = { environment: 'shop', node: 'local' };
  expect(value('holdfast_backup_last_success_timestamp_seconds', of)).toEqual([900]);
  expect(value('holdfast_backup_last_failure_timestamp_seconds', of)).toEqual([950.5]);
  expect(value('holdfast_backup_last_failed', of)).toEqual([1]);
  expect(value('holdfast_backup_last_duration_seconds', of)).toEqual([]);
  expect(value('holdfast_backup_last_size_bytes', of)).toEqual([300]);
  expect(value('holdfast_backup_last_stored_bytes', of)).toEqual([20]);
  expect(value('holdfast_backup_last_freeze_seconds', of)).toEqual([0.085]);
  expect(value('holdfast_backups', { ...of, status: 'ready', kind: 'manual' })).toEqual([7]);
  expect(value('holdfast_environment_active', of)).toEqual([1]);
  const never = { environment: 'blog' };
  expect(value('holdfast_environment_active', never)).toEqual([0]);
  expect(value('holdfast_backup_last_success_timestamp_seconds', never)).toEqual([0]);
  expect(value('holdfast_backup_last_failed', never)).toEqual([0]);
  expect(value('holdfast_backup_last_size_bytes', never)).toEqual([]);
});

test('jobs that there are none of are told as 0', async () => {
  const jobCounts = [
    { kind: 'restore' as const, state: 'running' as const, count: 2 },
    { kind: 'backup' as const, state: 'warnings' as const, count: 3 },
  ];
  const value = await read({ ...empty, jobCounts, oldestQueuedAtMs: 4000 });
  expect(value('holdfast_jobs', { kind: 'restore', state: 'running' })).toEqual([2]);
  expect(value('holdfast_jobs', { kind: 'backup', state: 'queued' })).toEqual([0]);
  expect(value('holdfast_jobs', { state: 'done' })).toEqual([]);
  expect(value('holdfast_jobs_finished', { kind: 'backup', outcome: 'warnings' })).toEqual([3]);
  expect(value('holdfast_jobs_finished', { kind: 'backup', outcome: 'done' })).toEqual([0]);
  expect(value('holdfast_jobs_oldest_queued_timestamp_seconds')).toEqual([4]);
});

test('of a directory the room is told, of a bucket when it was tried', async () => {
  const unjudged = { left: null, isNearlyFull: false };
  const vaults = [
    { vault: vault('disk', '/vault'), space: { freeBytes: 5, totalBytes: 10 }, measured: null, ...unjudged },
    {
      vault: {
        ...vault('b2', 's3:https://host/bucket'),
        status: 'missing' as const,
        checkedAtMs: 7000,
        capacityBytes: 90,
      },
      space: null,
      measured: { bytes: 80, atMs: 6000 },
      ...unjudged,
    },
  ];
  const value = await read({ ...empty, vaults });
  expect(value('holdfast_vault_up')).toEqual([1, 0]);
  expect(value('holdfast_vault_last_check_timestamp_seconds')).toEqual([1000, 7]);
  expect(value('holdfast_vault_free_bytes')).toEqual([5]);
  expect(value('holdfast_vault_size_bytes')).toEqual([10]);
  expect(value('holdfast_vault_used_bytes', { vault: 'b2' })).toEqual([80]);
  expect(value('holdfast_vault_measured_timestamp_seconds')).toEqual([6]);
  expect(value('holdfast_vault_capacity_bytes')).toEqual([90]);
});

test('messages that wait or were given up are told by notification', async () => {
  const deliveries = [{ name: 'ops', queued: 1, failed: 2, lastDeliveredAtMs: null, isFailing: true }];
  const value = await read({ ...empty, deliveries });
  expect(value('holdfast_notification_deliveries', { notification: 'ops', state: 'failed' })).toEqual([2]);
  expect(value('holdfast_notification_failing')).toEqual([1]);
  expect(value('holdfast_notification_last_delivery_timestamp_seconds')).toEqual([]);
});

test('names of any kind stand in labels', async () => {
  const name = 'a"b\\c\nd,e="f"';
  const value = await read({ ...empty, environments: [{ ...shop, name }] });
  expect(value('holdfast_environment_active', { environment: name })).toEqual([1]);
});

test('where nothing is known, every name still stands there; without a catalog, that it is not', async () => {
  const full = parseExposition(await metricsText(empty, '1.2.3'));
  expect(full.types.size).toBeGreaterThan(20);
  for (const [name, type] of full.types) {
    expect(name).toMatch(/^holdfast_[a-z_]+$/);
    expect(type).toBe('gauge');
    expect(name).not.toMatch(/_total$/);
  }
  expect((await read(empty))('holdfast_catalog_up')).toEqual([1]);
  expect((await read(null))('holdfast_catalog_up')).toEqual([0]);
  const without = parseExposition(await metricsText(null, '1.2.3'));
  expect([...without.types.keys()]).toEqual(['holdfast_build_info', 'holdfast_catalog_up']);
  expect(without.samples[0]?.labels).toEqual({ version: '1.2.3' });
});
