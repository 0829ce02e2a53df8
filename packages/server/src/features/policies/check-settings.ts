import {
  type BackupPolicy,
  backupPolicySchema,
  type CronPolicy,
  cronPolicySchema,
  environmentTypes,
  type ProjectSettings,
  type ProjectSettingsChange,
  projectSettingsChangeSchema,
  projectSettingsSchema,
} from '@holdfast/protocol';
import type { z } from 'zod';
import { checkCron } from './cron-slots.ts';
import { nearName } from './near-name.ts';
import { faultAt, faultsOf, type Path, type SettingsFault, shown } from './settings-fault.ts';

/** A list that is wrong from end to end is told by its beginning. */
const maxFaults = 100;

export type Checked<Settings> =
  | { readonly kind: 'valid'; readonly settings: Settings }
  /** One for each thing that is wrong: one at least, a hundred at most. */
  | { readonly kind: 'faulty'; readonly faults: readonly SettingsFault[] };

/** Checks what a project is to have set. Takes any value, and throws at none; so do the others here. */
export function checkSettings(value: unknown): Checked<ProjectSettings> {
  return check(projectSettingsSchema, value, { at: [], more: intervalFaults });
}

/** Checks what is to be changed in what a project has set. */
export function checkSettingsChange(value: unknown): Checked<ProjectSettingsChange> {
  return check(projectSettingsChangeSchema, value, { at: [], more: intervalFaults });
}

/** Checks chosen hours of chosen weekdays. @param at where the value stands in the JSON that was sent */
export function checkBackupPolicy(value: unknown, at: Path = ['backup_policy']): Checked<BackupPolicy> {
  return check(backupPolicySchema, value, { at, more: policyFaults });
}

/** Checks a cron string with what goes with it. @param at where the value stands in the JSON that was sent */
export function checkCronPolicy(value: unknown, at: Path = []): Checked<CronPolicy> {
  return check(cronPolicySchema, value, { at, more: cronFaults });
}

interface CheckOptions {
  readonly at: Path;
  /** What the schema cannot say, of a value of which nothing is known yet. */
  readonly more: (value: unknown, at: Path) => readonly SettingsFault[];
}

function check<Settings>(
  schema: z.ZodType<Settings>,
  value: unknown,
  { at, more }: CheckOptions,
): Checked<Settings> {
  const parsed = schema.safeParse(value);
  const issues = parsed.success ? [] : parsed.error.issues.slice(0, maxFaults);
  const faults = issues.flatMap((issue) => faultsOf(issue, { value, schema, at }));
  faults.push(...more(value, at));
  if (parsed.success && faults.length === 0) return { kind: 'valid', settings: parsed.data };
  return { kind: 'faulty', faults: firstOfEachPlace(faults).slice(0, maxFaults) };
}

/** A schema may have several objections to one value: a number that is too large is no safe integer either. */
function firstOfEachPlace(faults: readonly SettingsFault[]): readonly SettingsFault[] {
  const places = new Set<string>();
  return faults.filter(({ path }) => !places.has(path) && places.add(path));
}

function intervalFaults(value: unknown, at: Path): readonly SettingsFault[] {
  return environmentTypes.flatMap((type) => {
    const path = ['data_retention', type, 'default_config', 'schedule'];
    const schedules = path.reduce<unknown>(field, value);
    return Array.isArray(schedules) ? duplicateIntervals(schedules, [...at, ...path]) : [];
  });
}

function duplicateIntervals(schedules: readonly unknown[], at: Path): readonly SettingsFault[] {
  const firstPlaces = new Map<string, number>();
  return schedules.flatMap((schedule, place) => {
    const interval = field(schedule, 'interval');
    if (typeof interval !== 'string') return [];
    const first = firstPlaces.get(interval);
    if (first === undefined) {
      firstPlaces.set(interval, place);
      return [];
    }
    const what = `is ${shown(interval)}, as is [${first}]: an interval can stand once.`;
    return [faultAt([...at, place, 'interval'], what, 'Leave one of them out.')];
  });
}

function policyFaults(value: unknown, at: Path): readonly SettingsFault[] {
  const faults = [...timezoneFaults(value, at)];
  if (field(value, 'enabled') !== true) return faults;
  const isNone = (list: unknown): boolean => list === undefined || (Array.isArray(list) && list.length === 0);
  for (const [name, every] of [
    ['hours', 'every_hour'],
    ['weekdays', 'every_day'],
  ] as const) {
    if (field(value, every) === true || !isNone(field(value, name))) continue;
    faults.push(
      faultAt([...at, name], 'has none, but the policy is enabled.', `Name some, or set ${every} to true.`),
    );
  }
  if (field(value, 'retention') === undefined) faults.push(faultAt([...at, 'retention'], 'is missing.'));
  return faults;
}

function cronFaults(value: unknown, at: Path): readonly SettingsFault[] {
  const faults = timezoneFaults(value, at);
  const cron = field(value, 'cron_string');
  if (typeof cron !== 'string' || cron === '' || cron.length > 200) return faults;
  // Which moments there are does depend on the zone, but not whether there are any.
  const meaning = checkCron(cron, 'UTC');
  const path = [...at, 'cron_string'];
  switch (meaning.kind) {
    case 'fires':
      return faults;
    case 'never':
      return [...faults, faultAt(path, `is ${shown(cron)}: that never comes.`)];
    case 'unreadable':
      return [...faults, faultAt(path, `is ${shown(cron)}, which cannot be read: ${meaning.why}.`)];
  }
}

function timezoneFaults(value: unknown, at: Path): readonly SettingsFault[] {
  const timezone = field(value, 'timezone');
  if (typeof timezone !== 'string' || timezone === '' || timezone.length > 100 || isTimeZone(timezone))
    return [];
  const near = nearName(timezone, Intl.supportedValuesOf('timeZone'));
  const hint = near === undefined ? undefined : `Did you mean ${near}?`;
  return [faultAt([...at, 'timezone'], `is ${shown(timezone)}: there is no such time zone.`, hint)];
}

/** An offset is none: it has no summer time. */
function isTimeZone(name: string): boolean {
  if (/^[+-]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
