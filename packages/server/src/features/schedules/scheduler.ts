import { type Abortable, type Clock, HoldfastError, sleep, toHoldfastError } from '@holdfast/base';
import type { Logger } from '../../config/logger.ts';
import type { RemovalService } from '../backups/removal/removal-service.ts';
import { createRemoveByRule } from '../backups/removal/remove-by-rule.ts';
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
  readonly everyMs?: number | undefined;
}

interface PassedOver {
  readonly reason: string;
  readonly slotMs: number;
  readonly atMs: number;
}

/** What is over, or was missed, can wait so long. */
const careEveryMs = 300_000;
/** Two nights without a good backup. */
const overdueHours = 48;

/** A look asks every Docker Engine, and for a server in a container makes another one. */
const lookEveryMs = 600_000;
/** The same reason is written down so often. */
const noteEveryMs = 600_000;

/** Schedules are of minutes. */
const defaultEveryMs = 30_000;

/**
 * For each environment: due by its schedules? → queued, as one job that serves them all. What cannot be queued now (a job is
 * under way, Docker does not answer) is remembered as passed over, and tried at the next look, as long as its slot lasts.
 */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { environments, schedules, backups, removals, notify, clock, logger } = options;
  const { everyMs = defaultEveryMs } = options;
  const removeByRule = createRemoveByRule(removals, clock);
  const passedOver = new Map<string, PassedOver>();
  let nextCareMs = 0;
  let nextLookMs = 0;
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  /** New environments are found here, and those that are gone become inactive. */
  async function look({ signal }: Abortable): Promise<readonly EnvironmentRecord[]> {
    if (clock.elapsed() < nextLookMs) return await environments.known();
    nextLookMs = clock.elapsed() + lookEveryMs;
    try {
      return await environments.list({ signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      return await environments.known();
    }
  }

  async function take(environment: EnvironmentRecord, run: DueRun, { signal }: Abortable): Promise<void> {
    const { component, begin } = run;
    try {
      requireActive(environment);
      const request = { environmentId: environment.id, component, begin };
      const created = await backups.createAutomated(request, { signal });
      if (created === undefined) return;
      logger.info('A backup is due.', { environment: environment.name, backupId: created.backupId });
    } catch (error) {
      if (signal?.aborted) throw error;
      const { code, message } = toHoldfastError(error);
      await noteSkipped(environment, run, message);
      if (code === 'internal') logger.error('A backup could not be queued.', { error: message });
    }
  }

  async function noteSkipped({ id }: EnvironmentRecord, run: DueRun, reason: string): Promise<void> {
    const key = `${id} ${run.schedules.join()}`;
    const last = passedOver.get(key);
    const isNoted = last?.slotMs === run.due.slot.startMs && last.reason === reason;
    if (isNoted && clock.elapsed() - last.atMs < noteEveryMs) return;
    await schedules.noteSkipped(id, run.schedules, reason);
    passedOver.set(key, { reason, slotMs: run.due.slot.startMs, atMs: clock.elapsed() });
  }

  /** What is wrong with one environment keeps no other from being backed up. */
  async function alone({ name }: EnvironmentRecord, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (stopping.signal.aborted) throw error;
      const report = toHoldfastError(error).toReport();
      logger.error('The schedules of an environment could not be followed.', {
        environment: name,
        error: report,
      });
    }
  }

  /** What no rule keeps any more is removed. */
  async function remove({ id: environmentId, name }: EnvironmentRecord): Promise<void> {
    const removed = (await schedules.verdicts(environmentId)).filter((verdict) => verdict.kind === 'remove');
    const outcome = await removeByRule({
      environmentId,
      backupIds: removed.map(({ id }) => id),
      createdBy: 'retention',
      reasons: removed.map(({ id, rule }) => `${id}: ${wordsOfRemove(rule)}`),
    });
    if (outcome?.kind === 'queued')
      logger.info('Backups are over.', { environment: name, backups: outcome.backupIds });
  }

  /** Each is told once: the same event has the same key. */
  async function cry(record: EnvironmentRecord): Promise<void> {
    // Whoever took it down knows; `status` shows it.
    if (record.state !== 'active') return;
    const environment = { id: record.id, name: record.name };
    for (const missed of await schedules.missed(record)) {
      await notify({ event: 'run.missed', environment, ...missed });
    }
    const { lastBackupAtMs: lastGoodAtMs, firstSeenAtMs } = record;
    if (clock.now() - (lastGoodAtMs ?? firstSeenAtMs) < overdueHours * 3_600_000) return;
    if (!(await schedules.facts(record.id)).hasSchedule) return;
    await notify({ event: 'backup.overdue', environment, hours: overdueHours, lastGoodAtMs });
  }

  async function tick({ signal }: Abortable = {}): Promise<void> {
    // What was deleted is followed no more: neither its schedules nor its retention.
    const all = (await look({ signal })).filter(({ deletedAtMs }) => deletedAtMs === null);
    for (const environment of all) {
      await alone(environment, async () => {
        for (const run of await schedules.dueRuns(environment)) await take(environment, run, { signal });
      });
    }
    if (clock.elapsed() < nextCareMs) return;
    nextCareMs = clock.elapsed() + careEveryMs;
    for (const environment of all) {
      await alone(environment, async () => {
        await remove(environment);
        await cry(environment);
      });
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
