import type { BackupPolicy, ProjectSettings, ScheduleId } from '@holdfast/protocol';
import type { EnvironmentRecord } from '../environments/environment-record.ts';
import { checkCronPolicy } from '../policies/check-settings.ts';
import type { Schedule } from '../policies/schedule.ts';
import { scheduleOfCron, schedulesOfIntervals, schedulesOfPolicy } from '../policies/schedules-of.ts';
import { retentionOf } from '../policies/settings.ts';

/** What is backed up together: the whole environment, or one component with a cron string of its own. */
export interface PolicyScope {
  /** Null: all. */
  readonly component: string | null;
  readonly schedules: readonly Schedule[];
}

/** When an environment is backed up by itself, and how much is kept. */
export interface EnvironmentPolicy {
  /** Who said it: nobody, its project, or it was set for the environment. */
  readonly source: 'default' | 'project' | 'environment';
  /** The whole environment first. Those without schedules are not among them, but for that one. */
  readonly scopes: readonly [PolicyScope, ...PolicyScope[]];
  readonly maxBackups: number | null;
  readonly manualCount: number | null;
  /** What labels or settings say that cannot be followed. */
  readonly warnings: readonly string[];
}

export interface PolicyInput {
  readonly environment: Pick<EnvironmentRecord, 'type' | 'seen' | 'deletedComponents'>;
  readonly settings: ProjectSettings;
  /** Set for the environment itself: it beats what its project says of schedules. */
  readonly own: BackupPolicy | undefined;
  /** Where what was set names none. */
  readonly timezone: string;
}

/** By what was set. Since when each schedule is so, somebody else knows: `sinceMs` is 0. */
export function policyOf({ environment, settings, own, timezone }: PolicyInput): EnvironmentPolicy {
  const origin = { timezone, sinceMs: 0 };
  const { maxBackups, manualCount, intervals } = retentionOf(settings, environment.type);
  const isSet = settings.data_retention?.[environment.type] !== undefined;
  const schedules =
    own === undefined ? schedulesOfIntervals(intervals, origin) : schedulesOfPolicy(own, origin);
  const warnings: string[] = [];
  const isDeleted = (name: string) => environment.deletedComponents.some((each) => each.name === name);
  const kept = environment.seen.crons.filter(({ component }) => !isDeleted(component));
  const crons = kept.flatMap(({ component, cron, retention }): PolicyScope[] => {
    const checked = checkCronPolicy({ cron_string: cron, ...(retention === null ? {} : { retention }) });
    if (checked.kind === 'valid')
      return [{ component, schedules: [scheduleOfCron(component, checked.settings, origin)] }];
    for (const { message, hint } of checked.faults) warnings.push(`${component}: ${message} ${hint}`);
    return [];
  });
  return {
    source: own === undefined ? (isSet ? 'project' : 'default') : 'environment',
    scopes: [{ component: null, schedules }, ...crons],
    maxBackups,
    manualCount,
    warnings,
  };
}

/** Whether something with these schedules is of the scope. What nobody knows the schedules of is of the whole. */
export function isOfScope({ component }: PolicyScope, madeFor: readonly ScheduleId[] | null): boolean {
  const crons = madeFor?.filter((id) => id.startsWith(cronPrefix)) ?? [];
  const isOfWhole = madeFor === null || madeFor.length === 0 || crons.length < madeFor.length;
  return component === null ? isOfWhole : crons.some((id) => id === `${cronPrefix}${component}`);
}

/** Of components whose cron string is gone, and backups that it was followed for are not: no schedule ends those. */
export function scopesLeft(
  scopes: readonly PolicyScope[],
  madeFor: readonly (readonly ScheduleId[] | null)[],
): readonly PolicyScope[] {
  const left = madeFor.filter((ids) => !scopes.some((scope) => isOfScope(scope, ids)));
  const components = new Set(left.flatMap((ids) => ids ?? []).map((id) => id.slice(cronPrefix.length)));
  return [...components].map((component) => ({ component, schedules: [] }));
}

const cronPrefix = 'cron:';
