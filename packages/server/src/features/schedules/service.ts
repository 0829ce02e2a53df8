import { type Clock, HoldfastError, isHoldfastError } from '@holdfast/base';
import type {
  BackupExpiry,
  BackupId,
  EnvironmentId,
  EnvironmentSchedule,
  ExplainedBackup,
  PolicyExplanation,
  ProjectSettings,
  ScheduleId,
} from '@holdfast/protocol';
import type { Tx } from '../../catalog/catalog.ts';
import { requireNotDeleted } from '../environments/deletion.ts';
import type { EnvironmentRecord } from '../environments/environment-record.ts';
import type { EnvironmentService } from '../environments/service.ts';
import { checkBackupPolicy, checkSettingsChange } from '../policies/check-settings.ts';
import { type DueSchedule, dueSchedules } from '../policies/due.ts';
import { type Foreseen, foresee } from '../policies/foresee.ts';
import { missedSlots, nextRuns } from '../policies/next-runs.ts';
import { type RetentionInput, replacedByNextManual, retain } from '../policies/retention.ts';
import type { Schedule } from '../policies/schedule.ts';
import { changedSettings } from '../policies/settings.ts';
import type { SettingsFault } from '../policies/settings-fault.ts';
import type { SlotCalendar } from '../policies/slot-calendar.ts';
import { defaultStartWindow, type StartContext, startFraction } from '../policies/start-offset.ts';
import type { RetainedBackup, Verdict } from '../policies/verdict.ts';
import { expiryOf, wordsOfRemove } from '../policies/verdict-words.ts';
import { type EnvironmentPolicy, isOfScope, type PolicyScope, policyOf, scopesLeft } from './policy-of.ts';
import type { RetentionStore } from './retention-store.ts';
import type { KnownRun, ScheduleNote, ScheduleStore } from './store.ts';
import { suspended } from './suspended.ts';
import { wordsOfKept, wordsOfTiming } from './words.ts';

export interface ScheduleFacts {
  readonly hasSchedule: boolean;
  readonly nextRunAtMs: number | null;
  readonly lastProblem: string | null;
}

export interface MissedRun {
  readonly dueAtMs: number;
  readonly reason: string;
}

export interface BegunBackup {
  readonly id: BackupId;
  readonly createdAtMs: number;
}

export interface Replaced {
  readonly id: BackupId;
  /** By which rule, in words. */
  readonly why: string;
}

/** One that a backup is due for now, of the whole environment or of one component. */
export interface DueRun {
  readonly component: string | null;
  readonly schedules: readonly ScheduleId[];
  /** The first due of them. */
  readonly due: DueSchedule;
  /** Notes the backup that is made for it, in the transaction that queues it. False where a run has begun meanwhile. */
  begin(backup: BegunBackup, tx: Tx): Promise<boolean>;
}

/** When environments are backed up by themselves, and what is kept of their backups. */
export interface ScheduleService {
  /** @throws HoldfastError `environment-unknown` where no environment is of such a project */
  settings(project: string): Promise<ProjectSettings>;
  /** All or nothing. @throws HoldfastError `settings-invalid`, with every fault; `environment-unknown` */
  changeSettings(project: string, change: unknown): Promise<ProjectSettings>;
  /** @throws HoldfastError `environment-unknown`, `environment-ambiguous` */
  get(idOrName: string): Promise<EnvironmentSchedule>;
  /** @throws HoldfastError `settings-invalid`, `environment-unknown`, `environment-ambiguous` */
  set(idOrName: string, policy: unknown): Promise<EnvironmentSchedule>;
  /** @throws HoldfastError `environment-unknown`, `environment-ambiguous`, `environment-deleted` */
  explain(idOrName: string, days: number): Promise<PolicyExplanation>;
  /** What is due for an environment now. */
  dueRuns(environment: EnvironmentRecord): Promise<readonly DueRun[]>;
  /** Remembers why what was due was passed over. */
  noteSkipped(id: EnvironmentId, schedules: readonly ScheduleId[], reason: string): Promise<void>;
  /** In short: whether it is backed up by itself, when next, and why the last time was none. */
  facts(id: EnvironmentId): Promise<ScheduleFacts>;
  /** The newest slot of each scope that ended without any try within the last week, with why it was passed over. */
  missed(environment: EnvironmentRecord): Promise<readonly MissedRun[]>;
  /** What retention says of all of an environment's backups. */
  verdicts(id: EnvironmentId): Promise<readonly Verdict[]>;
  /** The same, as users are told of it, of all backups of these environments. */
  expiries(ids: Iterable<EnvironmentId>): Promise<ReadonlyMap<BackupId, BackupExpiry>>;
  /** What goes once one more manual backup of the environment is ready, and why. */
  replacedByManual(id: EnvironmentId, options: { readonly isWhole: boolean }): Promise<readonly Replaced[]>;
}

export interface ScheduleServiceOptions {
  readonly store: ScheduleStore;
  readonly retention: RetentionStore;
  readonly environments: Pick<EnvironmentService, 'find' | 'known' | 'list'>;
  readonly calendar: SlotCalendar;
  /** Where what was set names none. */
  readonly timezone: string;
  readonly clock: Clock;
}

interface ForeseenScope {
  readonly scope: PolicyScope;
  readonly input: RetentionInput;
  readonly runs: readonly KnownRun[];
  readonly days: number;
}

interface Known {
  readonly policy: EnvironmentPolicy;
  readonly notes: ReadonlyMap<ScheduleId, ScheduleNote>;
}

export function createScheduleService(options: ScheduleServiceOptions): ScheduleService {
  const { store, retention, environments, calendar, timezone, clock } = options;

  /** By what was set now, and since when each schedule is so. */
  async function know(environment: EnvironmentRecord): Promise<Known> {
    const policy = policyOf({
      environment,
      settings: await store.projectSettings(environment.project),
      own: await store.environmentPolicy(environment.id),
      timezone,
    });
    const all = policy.scopes.flatMap(({ schedules }) => schedules);
    const notes = await store.noteSchedules(environment.id, all);
    const dated = (schedule: Schedule): Schedule => {
      return { ...schedule, sinceMs: notes.get(schedule.id)?.sinceMs ?? clock.now() };
    };
    const [whole, ...others] = policy.scopes;
    const withDates = (scope: PolicyScope): PolicyScope => ({
      ...scope,
      schedules: scope.schedules.map(dated),
    });
    return { policy: { ...policy, scopes: [withDates(whole), ...others.map(withDates)] }, notes };
  }

  function contextOf(id: EnvironmentId): StartContext {
    return { calendar, fraction: startFraction(id), window: defaultStartWindow };
  }

  async function inputs(environment: EnvironmentRecord, { policy }: Known) {
    const components = environment.seen.components.map(({ name }) => name);
    const rows = (await retention.backups(environment.id)).map((row): RetainedBackup => {
      return { ...row, isWhole: components.every((name) => row.components.includes(name)) };
    });
    const madeFor = rows.filter(({ kind }) => kind === 'automated').map((row) => row.madeFor);
    const scopes = [...policy.scopes, ...scopesLeft(policy.scopes, madeFor)];
    return scopes.map((scope): { scope: PolicyScope; input: RetentionInput } => ({
      scope,
      input: {
        backups: rows.filter(({ kind, madeFor }) =>
          kind === 'automated' ? isOfScope(scope, madeFor) : scope.component === null,
        ),
        schedules: scope.schedules,
        nowMs: clock.now(),
        calendar,
        maxBackups: scope.component === null ? policy.maxBackups : null,
        manualCount: scope.component === null ? policy.manualCount : null,
      },
    }));
  }

  function foreseen(environment: EnvironmentRecord, { scope, input, runs, days }: ForeseenScope): Foreseen {
    const kept = suspended(environment, input.backups);
    if (kept !== undefined) return { events: [], backups: input.backups, verdicts: kept };
    return foresee({ ...input, ...contextOf(environment.id), runs: runsOf(scope, runs), days });
  }

  async function verdicts(id: EnvironmentId): Promise<readonly Verdict[]> {
    const environment = await environments.find(id);
    const scoped = await inputs(environment, await know(environment));
    return scoped.flatMap(({ input }) => suspended(environment, input.backups) ?? retain(input));
  }

  /** One that nobody has looked at yet is looked for. */
  async function find(idOrName: string): Promise<EnvironmentRecord> {
    try {
      return await environments.find(idOrName);
    } catch (error) {
      if (!isHoldfastError(error, 'environment-unknown')) throw error;
      await environments.list();
      return await environments.find(idOrName);
    }
  }

  async function requireProject(project: string): Promise<void> {
    const isKnown = async (): Promise<boolean> =>
      (await environments.known()).some((environment) => environment.project === project);
    if (await isKnown()) return;
    await environments.list();
    if (await isKnown()) return;
    const all = await environments.known();
    const names = [...new Set(all.map((environment) => environment.project))].sort();
    throw new HoldfastError('environment-unknown', `No environment is of a project ${project}.`, {
      hint: names.length === 0 ? 'Start one with docker compose up.' : `There are: ${names.join(', ')}.`,
      context: { project },
    });
  }

  async function get(environment: EnvironmentRecord): Promise<EnvironmentSchedule> {
    const { policy, notes } = await know(environment);
    const runs = await store.runs(environment.id);
    const nowMs = clock.now();
    const followed = environment.deletedAtMs === null ? policy.scopes : [];
    const next = followed.flatMap((scope) =>
      nextRuns(scope.schedules, runsOf(scope, runs), nowMs, contextOf(environment.id)).map((run) => ({
        atMs: run.atMs,
        schedules: [...run.schedules],
      })),
    );
    return {
      environmentId: environment.id,
      environmentName: environment.name,
      project: environment.project,
      type: environment.type,
      source: policy.source,
      schedules: policy.scopes.flatMap(({ component, schedules }) =>
        schedules.map((schedule) => {
          const last = runs.findLast((run) => run.schedules.includes(schedule.id));
          const skipped = notes.get(schedule.id)?.skipped ?? null;
          return {
            id: schedule.id,
            component,
            due: wordsOfTiming(schedule.timing),
            keeps: wordsOfKept(schedule.keep),
            timezone: schedule.timezone,
            sinceMs: schedule.sinceMs,
            lastRun:
              last === undefined
                ? null
                : {
                    backupId: last.backupId,
                    atMs: last.createdAtMs,
                    status: last.status,
                    reason: last.error?.message ?? null,
                  },
            skipped: skipped !== null && skipped.atMs > (last?.createdAtMs ?? 0) ? skipped : null,
          };
        }),
      ),
      nextRuns: next.sort((a, b) => a.atMs - b.atMs).slice(0, shownRuns),
      maxBackups: policy.maxBackups,
      manualCount: policy.manualCount,
      warnings: [
        ...policy.warnings,
        ...(environment.deletedAtMs === null
          ? []
          : [`${environment.name} was deleted: nothing is followed.`]),
      ],
    };
  }

  return {
    settings: async (project) => {
      await requireProject(project);
      return await store.projectSettings(project);
    },

    changeSettings: async (project, change) => {
      const checked = checkSettingsChange(change);
      if (checked.kind === 'faulty') throw settingsInvalid(checked.faults);
      await requireProject(project);
      return await store.changeProject(project, (settings) => changedSettings(settings, checked.settings));
    },

    get: async (idOrName) => await get(await find(idOrName)),

    set: async (idOrName, policy) => {
      const environment = await find(idOrName);
      if (policy === null) {
        await store.setEnvironmentPolicy(environment.id, null);
        return await get(environment);
      }
      const checked = checkBackupPolicy(policy);
      if (checked.kind === 'faulty') throw settingsInvalid(checked.faults);
      await store.setEnvironmentPolicy(environment.id, checked.settings);
      return await get(environment);
    },

    explain: async (idOrName, days) => {
      const environment = await find(idOrName);
      requireNotDeleted(environment);
      const known = await know(environment);
      const runs = await store.runs(environment.id);
      const scoped = (await inputs(environment, known)).map(({ scope, input }) => ({
        input,
        foreseen: foreseen(environment, { scope, input, runs, days }),
      }));
      const events = scoped.flatMap((each) =>
        each.foreseen.events.map((event) => ({
          atMs: event.atMs,
          kind: event.kind,
          id: event.id as string,
          why: event.kind === 'taken' ? event.schedules.join(', ') : wordsOfRemove(event.rule),
        })),
      );
      return {
        environmentName: environment.name,
        backups: scoped.flatMap(({ input }) =>
          explained(input.backups, suspended(environment, input.backups) ?? retain(input)),
        ),
        events: events.sort((a, b) => a.atMs - b.atMs),
        atEnd: scoped.flatMap((each) => explained(each.foreseen.backups, each.foreseen.verdicts)),
        untilMs: clock.now() + days * dayMs,
      };
    },

    dueRuns: async (environment) => {
      const { policy } = await know(environment);
      const context = contextOf(environment.id);
      const all = await store.runs(environment.id);
      return policy.scopes.flatMap((scope): DueRun[] => {
        const dueWith = (runs: readonly KnownRun[]): readonly DueSchedule[] =>
          dueSchedules(scope.schedules, runsOf(scope, runs), clock.now(), context);
        const due = dueWith(all);
        const [first] = due;
        if (first === undefined) return [];
        const schedules = due.map(({ id }) => id);
        const begin = async ({ id: backupId, createdAtMs: begunAtMs }: BegunBackup, tx: Tx) => {
          await store.holdRuns(environment.id, tx);
          const now = dueWith(await store.runs(environment.id, tx));
          if (!now.some(({ id }) => id === first.id)) return false;
          await store.addRun({ backupId, environmentId: environment.id, begunAtMs, schedules }, tx);
          return true;
        };
        return [{ component: scope.component, schedules, due: first, begin }];
      });
    },

    noteSkipped: async (id, schedules, reason) => await store.noteSkipped(id, schedules, reason),

    facts: async (id) => {
      const { schedules, nextRuns: next } = await get(await environments.find(id));
      const passedOver = schedules.find(({ skipped }) => skipped !== null)?.skipped?.reason;
      const failed = schedules.find(({ lastRun }) => lastRun?.status === 'failed')?.lastRun?.reason;
      return {
        hasSchedule: schedules.length > 0,
        nextRunAtMs: next[0]?.atMs ?? null,
        lastProblem: passedOver ?? failed ?? null,
      };
    },

    missed: async (environment) => {
      const { policy, notes } = await know(environment);
      const runs = await store.runs(environment.id);
      const nowMs = clock.now();
      return policy.scopes.flatMap((scope): MissedRun[] => {
        // What was tried and failed is told by that.
        const tried = runsOf(scope, runs).map((run) => ({ ...run, status: 'ready' as const }));
        const slots = missedSlots(scope.schedules, tried, { fromMs: nowMs - 7 * dayMs, nowMs }, { calendar });
        const newest = slots.toSorted((a, b) => b.slot.startMs - a.slot.startMs)[0];
        if (newest === undefined) return [];
        const { startMs, endMs } = newest.slot;
        const skipped = notes.get(newest.id)?.skipped;
        const isOfSlot = skipped != null && startMs <= skipped.atMs && skipped.atMs < endMs;
        const reason = isOfSlot ? skipped.reason : passedOverSilently;
        return [{ dueAtMs: startMs, reason }];
      });
    },

    verdicts,

    expiries: async (ids) => {
      const all = new Map<BackupId, BackupExpiry>();
      for (const id of new Set(ids)) {
        for (const verdict of await verdicts(id)) all.set(verdict.id, expiryOf(verdict));
      }
      return all;
    },

    replacedByManual: async (id, { isWhole }) => {
      const environment = await environments.find(id);
      const [whole] = await inputs(environment, await know(environment));
      if (whole === undefined) return [];
      const replaced = replacedByNextManual(whole.input, { isWhole });
      return replaced.map((verdict) => ({ id: verdict.id, why: wordsOfRemove(verdict.rule) }));
    },
  };
}

const shownRuns = 5;
const passedOverSilently =
  'Holdfast did not run then, or could not look; or the environment was deleted then.';
const dayMs = 86_400_000;

function runsOf(scope: PolicyScope, runs: readonly KnownRun[]): readonly KnownRun[] {
  return runs.filter(({ schedules }) => isOfScope(scope, schedules));
}

function explained(backups: readonly RetainedBackup[], verdicts: readonly Verdict[]): ExplainedBackup[] {
  const byId = new Map(verdicts.map((verdict) => [verdict.id, verdict]));
  return backups.flatMap(({ id, createdAtMs, kind, status }) => {
    const verdict = byId.get(id);
    if (verdict === undefined) return [];
    const { keptBy, text: end, removedBy } = expiryOf(verdict);
    return [{ id, createdAtMs, kind, status, keptBy, end, removedBy }];
  });
}

function settingsInvalid(faults: readonly SettingsFault[]): HoldfastError {
  const [first] = faults;
  const isOne = faults.length === 1;
  return new HoldfastError(
    'settings-invalid',
    isOne ? (first?.message ?? '') : `${faults.length} settings cannot be taken. Nothing was changed.`,
    {
      hint: isOne ? (first?.hint ?? '') : 'Each is named by its place in the JSON.',
      context: {
        paths: faults.map(({ path }) => path),
        faults: faults.map(({ message, hint }) => `${message} ${hint}`),
      },
    },
  );
}
