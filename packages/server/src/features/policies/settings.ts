import type {
  EnvironmentType,
  IntervalSchedule,
  ProjectSettings,
  ProjectSettingsChange,
} from '@holdfast/protocol';
import { environmentTypes } from '@holdfast/protocol';

/** What holds for the environments of one type, with defaults for what is not set. */
export interface RetentionSettings {
  readonly maxBackups: number | null;
  readonly manualCount: number | null;
  readonly intervals: readonly IntervalSchedule[];
}

const defaultIntervals: Readonly<Record<EnvironmentType, readonly IntervalSchedule[]>> = {
  production: [{ interval: '1d', count: 2 }],
  staging: [],
  development: [],
};

export function retentionOf(settings: ProjectSettings, type: EnvironmentType): RetentionSettings {
  const set = settings.data_retention?.[type];
  return {
    maxBackups: set?.max_backups ?? null,
    manualCount: set?.default_config?.manual_count ?? null,
    intervals: set?.default_config?.schedule ?? defaultIntervals[type],
  };
}

/** Settings after a change; what is back at its default is not in them any more. */
export function changedSettings(settings: ProjectSettings, change: ProjectSettingsChange): ProjectSettings {
  const types = environmentTypes.flatMap((type) => {
    const changed = changedType(settings.data_retention?.[type], change.data_retention?.[type]);
    return changed === undefined ? [] : [[type, changed] as const];
  });
  return types.length === 0 ? {} : { data_retention: Object.fromEntries(types) };
}

type SetType = NonNullable<ProjectSettings['data_retention']>[EnvironmentType];
type TypeChange = NonNullable<ProjectSettingsChange['data_retention']>[EnvironmentType];

function changedType(set: SetType, change: TypeChange): SetType {
  if (change === null) return undefined;
  const configChange = change?.default_config;
  const config =
    configChange === null
      ? undefined
      : withoutNothing({
          manual_count: changedValue(set?.default_config?.manual_count, configChange?.manual_count),
          schedule: changedValue(set?.default_config?.schedule, configChange?.schedule),
        });
  return withoutNothing({
    max_backups: changedValue(set?.max_backups, change?.max_backups),
    default_config: config,
  });
}

function changedValue<Value>(set: Value | undefined, change: Value | null | undefined): Value | undefined {
  return change === undefined ? set : (change ?? undefined);
}

type Given<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Without fields that are undefined; undefined where all are. */
function withoutNothing<Fields extends object>(fields: Fields): Given<Fields> | undefined {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as Given<Fields>);
}
