import { jobKindSchema, jobStateSchema } from '@holdfast/protocol';
import { Gauge, Registry } from 'prom-client';
import type { VaultRoom } from '../vaults/service.ts';
import { isBucket } from '../vaults/vault-location.ts';
import {
  type BackupCount,
  type DeliveryState,
  type JobCount,
  type KnownEnvironment,
  type LastBackup,
  newestOf,
} from './store.ts';

/** What the catalog and the vaults tell, at about one moment. */
export interface MetricFacts {
  readonly nowMs: number;
  readonly environments: readonly KnownEnvironment[];
  readonly backupCounts: readonly BackupCount[];
  readonly lastBackups: readonly LastBackup[];
  readonly jobCounts: readonly JobCount[];
  readonly oldestQueuedAtMs: number | null;
  readonly deliveries: readonly DeliveryState[];
  readonly vaults: readonly VaultRoom[];
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number | null];

/**
 * One gauge: nothing here is counted by this process, so nothing begins anew with it. Values of null are left out; the
 * name stands there all the same.
 */
type Write = (name: string, help: string, samples: readonly Sample[]) => void;

/** The facts in Prometheus' text format; null where the catalog does not tell them. */
export async function metricsText(facts: MetricFacts | null, version: string): Promise<string> {
  // Made anew each time: what is gone has no value left, and two who ask at once do not meet.
  const registry = new Registry();
  const write: Write = (name, help, samples) => {
    const labelNames = Object.keys(samples[0]?.[0] ?? {});
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
    // One without labels stands at 0 from the beginning.
    if (labelNames.length === 0) gauge.remove();
    for (const [labels, value] of samples) if (value !== null) gauge.set(labels, value);
  };
  write('holdfast_build_info', 'Always 1; which version it is stands in the label.', [[{ version }, 1]]);
  write('holdfast_catalog_up', 'Whether the catalog can be reached.', [[{}, facts === null ? 0 : 1]]);
  if (facts !== null) {
    writeBackups(write, facts);
    writeJobs(write, facts);
    writeVaults(write, facts);
    writeNotifications(write, facts);
  }
  return await registry.metrics();
}

function writeBackups(write: Write, { environments, backupCounts, lastBackups }: MetricFacts): void {
  const labelsById = new Map(
    environments.map(({ id, name, nodeName }) => [id, { environment: name, node: nodeName }]),
  );
  const lastById = Map.groupBy(lastBackups, ({ environmentId }) => environmentId);
  const known = environments.map(({ id, isActive }) => {
    const ofOne = lastById.get(id) ?? [];
    const good = ofOne.filter(({ status }) => status === 'ready');
    const success = newestOf(good);
    const failure = newestOf(ofOne.filter(({ status }) => status === 'failed'));
    const consistent = newestOf(good.filter(({ mode }) => mode === 'consistent'));
    return { labels: labelsById.get(id) ?? {}, isActive, success, failure, consistent };
  });
  const perEnvironment = (
    name: string,
    help: string,
    value: (each: (typeof known)[number]) => number | null | undefined,
  ) =>
    write(
      name,
      help,
      known.map((each) => [each.labels, value(each) ?? null]),
    );

  perEnvironment(
    'holdfast_environment_active',
    'Whether any container of it is there, and nobody deleted it.',
    ({ isActive }) => (isActive ? 1 : 0),
  );
  write(
    'holdfast_backups',
    'Backups that the catalog has.',
    backupCounts.map(({ environmentId, status, kind, count }) => [
      { ...labelsById.get(environmentId), status, kind },
      count,
    ]),
  );
  perEnvironment(
    'holdfast_backup_last_success_timestamp_seconds',
    'When the newest good backup was begun: what it holds is as old. 0: there is none. Imported and safety backups do not count.',
    ({ success }) => seconds(success?.createdAtMs ?? 0),
  );
  perEnvironment(
    'holdfast_backup_last_failure_timestamp_seconds',
    'When the newest failed backup was begun. 0: there is none.',
    ({ failure }) => seconds(failure?.createdAtMs ?? 0),
  );
  perEnvironment(
    'holdfast_backup_last_failed',
    'Whether the last backup that ended, but for cancelled ones, has failed.',
    ({ success, failure }) => ((failure?.madeNo ?? 0) > (success?.madeNo ?? 0) ? 1 : 0),
  );
  perEnvironment(
    'holdfast_backup_last_duration_seconds',
    'How long the newest good backup took.',
    ({ success }) => seconds(success?.durationMs),
  );
  perEnvironment(
    'holdfast_backup_last_size_bytes',
    'What the newest good backup is of.',
    ({ success }) => success?.bytes,
  );
  perEnvironment(
    'holdfast_backup_last_stored_bytes',
    'What the newest good backup added to its repository, compressed and encrypted.',
    ({ success }) => success?.storedBytes,
  );
  perEnvironment(
    'holdfast_backup_last_freeze_seconds',
    'For how long the newest good consistent backup paused containers.',
    ({ consistent }) => seconds(consistent?.frozenMs),
  );
}

function writeJobs(write: Write, { jobCounts, oldestQueuedAtMs }: MetricFacts): void {
  const countOf = (kind: string, state: string): number =>
    jobCounts.find((each) => each.kind === kind && each.state === state)?.count ?? 0;
  const isUnfinished = (state: string): boolean => state === 'queued' || state === 'running';
  const states = jobStateSchema.options;
  const samples = (wanted: readonly string[], label: string): Sample[] =>
    jobKindSchema.options.flatMap((kind) =>
      wanted.map((state): Sample => [{ kind, [label]: state }, countOf(kind, state)]),
    );
  write('holdfast_jobs', 'Jobs that wait or are under way.', samples(states.filter(isUnfinished), 'state'));
  write(
    'holdfast_jobs_finished',
    'Jobs that have ended, by their outcome, of all that the catalog has.',
    samples(
      states.filter((state) => !isUnfinished(state)),
      'outcome',
    ),
  );
  write('holdfast_jobs_oldest_queued_timestamp_seconds', 'Since when the job waits that waits for longest.', [
    [{}, seconds(oldestQueuedAtMs)],
  ]);
}

function writeVaults(write: Write, { vaults, nowMs }: MetricFacts): void {
  const perVault = (name: string, help: string, value: (room: VaultRoom) => number | null | undefined) =>
    write(
      name,
      help,
      vaults.map((room) => [{ vault: room.vault.name }, value(room) ?? null]),
    );

  perVault('holdfast_vault_up', 'Whether the vault could be used when it was last tried.', ({ vault }) =>
    vault.status === 'ok' ? 1 : 0,
  );
  perVault(
    'holdfast_vault_last_check_timestamp_seconds',
    'When that was: for a directory, now.',
    ({ vault }) => seconds(isBucket(vault.location) ? vault.checkedAtMs : nowMs),
  );
  perVault('holdfast_vault_free_bytes', "Room in the file system of a vault's directory.", ({ space }) => {
    return space?.freeBytes;
  });
  perVault('holdfast_vault_size_bytes', "Size of the file system of a vault's directory.", ({ space }) => {
    return space?.totalBytes;
  });
  perVault(
    'holdfast_vault_used_bytes',
    'What the vault held when that was last counted.',
    ({ measured }) => measured?.bytes,
  );
  perVault('holdfast_vault_measured_timestamp_seconds', 'When it was counted.', ({ measured }) => {
    return seconds(measured?.atMs);
  });
  perVault(
    'holdfast_vault_capacity_bytes',
    'What may be kept there, where somebody has set it.',
    ({ vault }) => vault.capacityBytes,
  );
}

function writeNotifications(write: Write, { deliveries }: MetricFacts): void {
  write(
    'holdfast_notification_deliveries',
    'Messages that wait, and those of the last 30 days that were given up.',
    deliveries.flatMap(({ name: notification, queued, failed }): Sample[] => [
      [{ notification, state: 'queued' }, queued],
      [{ notification, state: 'failed' }, failed],
    ]),
  );
  write(
    'holdfast_notification_failing',
    'Whether the last attempt to deliver a message went wrong.',
    deliveries.map(({ name: notification, isFailing }) => [{ notification }, isFailing ? 1 : 0]),
  );
  write(
    'holdfast_notification_last_delivery_timestamp_seconds',
    'When a message was last delivered.',
    deliveries.map(({ name: notification, lastDeliveredAtMs: atMs }) => [{ notification }, seconds(atMs)]),
  );
}

function seconds(milliseconds: number | null | undefined): number | null {
  return milliseconds === null || milliseconds === undefined ? null : milliseconds / 1000;
}
