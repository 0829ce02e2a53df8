import { type Abortable, type Clock, throwIfAborted } from '@holdfast/base';
import type { BackupStatus, EnvironmentId, Node, Right, Status } from '@holdfast/protocol';
import { deletionOf } from '../environments/deletion.ts';
import type { EnvironmentRecord } from '../environments/environment-record.ts';
import type { EnvironmentService, SurveyedRecord } from '../environments/service.ts';
import { writesOutsideMounts } from '../environments/writes-outside-mounts.ts';
import { toJob } from '../jobs/job-record.ts';
import type { JobService } from '../jobs/service.ts';
import type { NodeService } from '../nodes/service.ts';
import type { NotificationService } from '../notifications/service.ts';
import type { VaultService } from '../vaults/service.ts';
import type { MetricFacts } from './metrics-text.ts';
import { type EnvironmentFacts, isProtected, problemsOf, type StatusFacts } from './problems-of.ts';
import {
  type BackupCount,
  type DoubtfulBackup,
  type LastBackup,
  newestOf,
  type StatusStore,
} from './store.ts';

/** How long engines may take to look into containers; what they have not found by then is not known. */
const lookLimitMs = 10_000;
/** How many containers' file systems engines walk at once. */
const looksAtOnce = 4;
const jobLimit = 1000;

export interface ScheduleFacts {
  readonly hasSchedule: boolean;
  readonly nextRunAtMs: number | null;
  /** Why it is not backed up as its schedule says. */
  readonly lastProblem: string | null;
}

/** How things stand. Changes nothing. */
export interface StatusService {
  /** Of what these rights do not let see, nothing. */
  read(rights: readonly Right[], options?: Abortable): Promise<Status>;
  /** The same for machines, from the catalog alone, and a look at vaults that are directories. */
  readMetrics(): Promise<MetricFacts>;
}

export interface StatusServiceOptions {
  readonly store: StatusStore;
  readonly environments: Pick<EnvironmentService, 'surveyAll'>;
  readonly nodes: Pick<NodeService, 'list'>;
  readonly vaults: Pick<VaultService, 'listRoom'>;
  readonly notifications: Pick<NotificationService, 'list'>;
  readonly jobs: Pick<JobService, 'list'>;
  readonly scheduleFacts: (environmentId: EnvironmentId) => Promise<ScheduleFacts>;
  /** @throws HoldfastError `catalog-unreachable` */
  readonly ping: () => Promise<void>;
  readonly clock: Clock;
}

export function createStatusService(options: StatusServiceOptions): StatusService {
  const { store, environments, nodes, vaults, notifications, jobs, scheduleFacts, ping, clock } = options;

  async function readEnvironments({ signal }: Abortable): Promise<readonly EnvironmentFacts[]> {
    // First: it may know new ones.
    const surveyed = await environments.surveyAll({ signal });
    const [counts, lastBackups, doubtful, writes, schedules] = await Promise.all([
      store.backupCounts(),
      store.lastBackups(),
      store.doubtfulBackups(),
      lookInside(surveyed, { signal }),
      Promise.all(surveyed.map(async ({ record }) => await factsOf(record))),
    ]);
    const countsById = Map.groupBy(counts, ({ environmentId }) => environmentId);
    const lastById = Map.groupBy(lastBackups, ({ environmentId }) => environmentId);
    return surveyed.map((each, index) => {
      const { id } = each.record;
      return {
        ...ownFacts(each),
        ...backupFacts(countsById.get(id) ?? [], lastById.get(id) ?? []),
        doubtfulBackup: toDoubtfulBackup(doubtful.find(({ environmentId }) => environmentId === id)),
        ...toScheduleFacts(schedules[index]),
        writesOutsideMounts: writes[index] ?? null,
      };
    });
  }

  async function factsOf({ id, deletedAtMs }: EnvironmentRecord): Promise<ScheduleFacts | undefined> {
    return deletedAtMs === null ? await scheduleFacts(id) : undefined;
  }

  async function unfinishedJobs() {
    const [running, queued] = await Promise.all([
      jobs.list({ state: 'running', limit: jobLimit }),
      jobs.list({ state: 'queued', limit: jobLimit }),
    ]);
    return [...running, ...queued].map(toJob);
  }

  return {
    read: async (rights, { signal } = {}) => {
      const ifMay = async <Item>(right: Right, list: () => Promise<Item>): Promise<Item | null> =>
        rights.includes(right) ? await list() : null;
      const [ofEnvironments, ofNodes, ofVaults, ofNotifications, ofJobs] = await Promise.all([
        readEnvironments({ signal }),
        ifMay('node:read', async () => await nodes.list({ signal })),
        ifMay('vault:read', async () => await vaults.listRoom()),
        ifMay('notification:read', async () => await notifications.list()),
        ifMay('job:read', unfinishedJobs),
      ]);
      const facts: StatusFacts = {
        atMs: clock.now(),
        environments: ofEnvironments,
        nodes: ofNodes?.map(toNodeFacts) ?? null,
        vaults:
          ofVaults?.map(({ vault, left, isNearlyFull }) => {
            const { id, name, location, status, problem, checkedAtMs } = vault;
            const { freeBytes = null, totalBytes = null } = left ?? {};
            const room = { freeBytes, totalBytes, isNearlyFull };
            return { id, name, location, status, problem, checkedAtMs, ...room };
          }) ?? null,
        notifications:
          ofNotifications?.map(({ id, name, queued, failed, lastDeliveredAtMs, lastError }) => {
            return { id, name, queued, failed, lastDeliveredAtMs, lastError };
          }) ?? null,
        jobs: ofJobs,
      };
      const judged = ofEnvironments.map((each) => ({ ...each, isProtected: isProtected(each, facts) }));
      return { ...facts, environments: judged, problems: problemsOf(facts) };
    },

    readMetrics: async () => {
      await ping();
      const [known, backupCounts, lastBackups, jobCounts, oldestQueuedAtMs, deliveries, rooms] =
        await Promise.all([
          store.environments(),
          store.backupCounts(),
          store.lastBackups(),
          store.jobCounts(),
          store.oldestQueuedAtMs(),
          store.deliveries(),
          vaults.listRoom(),
        ]);
      const ofBackups = { environments: known, backupCounts, lastBackups };
      return {
        ...{ ...ofBackups, jobCounts, oldestQueuedAtMs, deliveries },
        vaults: rooms,
        nowMs: clock.now(),
      };
    },
  };
}

function toDoubtfulBackup(backup: DoubtfulBackup | undefined): EnvironmentFacts['doubtfulBackup'] {
  if (backup === undefined) return null;
  const { id, createdAtMs, doubt } = backup;
  return { id, createdAtMs, doubt };
}

function ownFacts({ record, isReachable, survey }: SurveyedRecord) {
  const { id, name, nodeName, state, seen, unfinishedRestore } = record;
  const mounts = survey?.mounts.map(({ mount }) => mount) ?? seen.mounts;
  const mountsLeftOut = mounts
    .filter(({ isGap }) => isGap === true)
    .map((mount) => ({ name: mount.name, mountPoints: mount.mountPoints, reason: mount.reason }));
  const deletion = record.deletedAtMs === null ? null : deletionOf(record.deletedAtMs);
  return { id, name, nodeName, state, isReachable, unfinishedRestore, mountsLeftOut, deletion };
}

function backupFacts(counts: readonly BackupCount[], last: readonly LastBackup[]) {
  const countOf = (wanted: BackupStatus): number =>
    counts.filter(({ status }) => status === wanted).reduce((sum, { count }) => sum + count, 0);
  const good = newestOf(last.filter(({ status }) => status === 'ready'));
  const failed = newestOf(last.filter(({ status }) => status === 'failed'));
  const hasFailedLast = failed !== undefined && failed.madeNo > (good?.madeNo ?? 0);
  return {
    backups: countOf('ready'),
    damagedBackups: countOf('damaged'),
    lastGoodBackup: good === undefined ? null : { id: good.id, createdAtMs: good.createdAtMs },
    lastFailedBackup: hasFailedLast
      ? { id: failed.id, createdAtMs: failed.createdAtMs, error: failed.error }
      : null,
  };
}

function toScheduleFacts(facts: ScheduleFacts | undefined) {
  const { hasSchedule = false, nextRunAtMs = null, lastProblem = null } = facts ?? {};
  return { hasSchedule, nextRunAtMs, scheduleProblem: lastProblem };
}

function toNodeFacts({ id, name, status, error }: Node) {
  return { id, name, status, error };
}

/** What components of each wrote outside any mount, but for those that are left out; null where nobody could look. */
async function lookInside(
  surveyed: readonly SurveyedRecord[],
  { signal }: Abortable,
): Promise<readonly (string[] | null)[]> {
  const limit = AbortSignal.timeout(lookLimitMs);
  const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  const found: (string[] | null)[] = surveyed.map(() => null);
  const waiting = surveyed.entries();
  const look = async (): Promise<void> => {
    // All of them take from the same row.
    for (const [index, each] of waiting) found[index] = await componentsThatWrite(each, { signal: both });
  };
  await Promise.all(Array.from({ length: looksAtOnce }, look));
  throwIfAborted(signal);
  return found;
}

async function componentsThatWrite(
  { record, survey }: SurveyedRecord,
  abort: Abortable,
): Promise<string[] | null> {
  if (survey === undefined || record.deletedAtMs !== null || abort.signal?.aborted === true) return null;
  const leftOut = survey.environment?.components.filter(({ isLeftOut }) => isLeftOut) ?? [];
  try {
    const names = await writesOutsideMounts(survey, abort);
    return names.filter((name) => !leftOut.some((component) => component.name === name));
  } catch {
    // The engine that answered a moment ago does not say: then it is not known, and all else still is.
    return null;
  }
}
