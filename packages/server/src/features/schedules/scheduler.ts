import { type Abortable, type Clock, HoldfastError, sleep, toHoldfastError } from '@holdfast/base';
import type { EnvironmentId } from '@holdfast/protocol';
import type { Logger } from '../../config/logger.ts';
import type { RemovalService } from '../backups/removal/removal-service.ts';
import type { BackupService } from '../backups/service.ts';
import type { EnvironmentRecord } from '../environments/environment-record.ts';
import type { EnvironmentService } from '../environments/service.ts';
import type { Notify } from '../notifications/tell-of-jobs.ts';
import { wordsOfRemove } from '../policies/verdict-words.ts';
import type { DueRun, ScheduleService } from './service.ts';

/** Takes backups when schedules are due, and removes those that are over, until it is stopped. */
export interface Scheduler {
  start(): void;
  stop(): Promise<void>;
  /** Looks at all environments once, and queues what is due and what is over. */
  tick(options?: Abortable): Promise<void>;
}

export interface SchedulerOptions {
  readonly environments: Pick<EnvironmentService, 'list' | 'known'>;
  readonly schedules: Pick<ScheduleService, 'dueRuns' | 'noteSkipped' | 'verdicts' | 'missed' | 'facts'>;
  readonly notify: Notify;
  readonly backups: Pick<BackupService, 'createAutomated'>;
  readonly removals: Pick<RemovalService, 'removeBackups'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly everyMs?: number;
}

interface TriedRemoval {
  readonly ids: string;
  readonly atMs: number;
}

const removeAgainMs = 3_600_000;
/** What is over, or was missed, can wait so long. */
const careEveryMs = 300_000;
/** Two nights without a good backup. */
const overdueHours = 48;

/** Schedules are of minutes; a look asks every Docker Engine. */
const defaultEveryMs = 30_000;

/**
 * For each environment: due by its schedules? → queued, as one job that serves them all. What cannot be queued now (a job is
 * under way, Docker does not answer) is remembered as passed over, and tried at the next look, as long as its slot lasts.
 */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { environments, schedules, backups, removals, notify, clock, logger } = options;
  const { everyMs = defaultEveryMs } = options;
  const tried = new Map<EnvironmentId, TriedRemoval>();
  let nextCareMs = 0;
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  /** New environments are found here, and those that are gone become inactive. */
  async function look({ signal }: Abortable): Promise<readonly EnvironmentRecord[]> {
    try {
      return await environments.list({ signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      return await environments.known();
    }
  }

  async function take(environment: EnvironmentRecord, run: DueRun, { signal }: Abortable): Promise<void> {
    const { component, schedules: due, begin } = run;
    try {
      requireActive(environment);
      const request = { environmentId: environment.id, component, begin };
      const created = await backups.createAutomated(request, { signal });
      if (created === undefined) return;
      logger.info('A backup is due.', { environment: environment.name, backupId: created.backupId });
    } catch (error) {
      if (signal?.aborted) throw error;
      const { code, message } = toHoldfastError(error);
      await schedules.noteSkipped(environment.id, due, message);
      if (code === 'internal') logger.error('A backup could not be queued.', { error: message });
    }
  }

  /** What no rule keeps any more is removed; where that fails, the same is tried again after a while. */
  async function remove({ id: environmentId, name }: EnvironmentRecord): Promise<void> {
    const removed = (await schedules.verdicts(environmentId)).filter((verdict) => verdict.kind === 'remove');
    const backupIds = removed.map(({ id }) => id);
    const ids = backupIds.join();
    const last = tried.get(environmentId);
    const isTried = last?.ids === ids && clock.elapsed() - last.atMs < removeAgainMs;
    if (backupIds.length === 0 || isTried) return;
    const reasons = removed.map(({ id, rule }) => `${id}: ${wordsOfRemove(rule)}`);
    const outcome = await removals.removeBackups({
      environmentId,
      backupIds,
      createdBy: 'retention',
      reasons,
    });
    if (outcome.kind === 'busy') return;
    tried.set(environmentId, { ids, atMs: clock.elapsed() });
    if (outcome.kind === 'queued')
      logger.info('Backups are over.', { environment: name, backups: outcome.backupIds });
  }

  /** Each is told once: the same event has the same key. */
  async function cry(record: EnvironmentRecord): Promise<void> {
    const environment = { id: record.id, name: record.name };
    for (const missed of await schedules.missed(record)) {
      await notify({ event: 'run.missed', environment, ...missed });
    }
    const { lastBackupAtMs: lastGoodAtMs, firstSeenAtMs, state } = record;
    if (state !== 'active' || clock.now() - (lastGoodAtMs ?? firstSeenAtMs) < overdueHours * 3_600_000)
      return;
    if (!(await schedules.facts(record.id)).hasSchedule) return;
    await notify({ event: 'backup.overdue', environment, hours: overdueHours, lastGoodAtMs });
  }

  async function tick({ signal }: Abortable = {}): Promise<void> {
    const all = await look({ signal });
    for (const environment of all) {
      for (const run of await schedules.dueRuns(environment)) await take(environment, run, { signal });
    }
    if (clock.elapsed() < nextCareMs) return;
    nextCareMs = clock.elapsed() + careEveryMs;
    for (const environment of all) {
      await remove(environment);
      await cry(environment);
    }
  }

  async function repeat(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      try {
        await tick({ signal });
      } catch (error) {
        if (!signal.aborted)
          logger.error('Schedules could not be looked at.', { error: toHoldfastError(error).toReport() });
      }
      await sleep(everyMs, { signal }).catch(() => {});
    }
  }

  return {
    tick,
    start: () => {
      running = repeat();
    },
    stop: async () => {
      stopping.abort(new HoldfastError('server-lost', 'The server was stopped.'));
      await running;
    },
  };
}

/** @throws HoldfastError `environment-inactive` */
function requireActive({ name, state }: EnvironmentRecord): void {
  if (state === 'active') return;
  throw new HoldfastError('environment-inactive', `None of the containers of ${name} exists.`);
}
