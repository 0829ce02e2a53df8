import { z } from 'zod';

/** The row of slots that a policy makes: `interval:1d`, `weekly`, `cron:db`. Unique within an environment, and stays the same. */
export const scheduleIdSchema = z.string().min(1).max(300).brand('ScheduleId');

export const environmentTypes = ['production', 'staging', 'development'] as const;

/** One backup in every stretch of so many hours, days, weeks, months or years. */
export const intervalSchema = z.string().regex(/^[1-9][0-9]{0,3}[hdwMy]$/);

/** How long an automated backup is kept. */
export const keepForSchema = z.string().regex(/^[1-9][0-9]{0,4}[hdwMy]$/);

/** The name of a time zone, as in `Europe/Berlin`. Whether there is such a zone, only a server can tell. */
export const timeZoneSchema = z.string().min(1).max(100);

const countSchema = z.int().min(1).max(100_000);
const daysSchema = z.int().min(1).max(99_999);

export const intervalScheduleSchema = z.strictObject({ interval: intervalSchema, count: countSchema });

/** Of an interval that stands twice, the server tells. */
const intervalSchedulesSchema = z.array(intervalScheduleSchema).max(100);

/** A field that is left out has its default. */
const retentionSettingsSchema = z.strictObject({
  max_backups: countSchema.optional(),
  default_config: z
    .strictObject({
      manual_count: countSchema.optional(),
      schedule: intervalSchedulesSchema.optional(),
    })
    .optional(),
});

/** What a project has set for its environments, by their type: what is backed up how often, and how many are kept. */
export const projectSettingsSchema = z
  .strictObject({
    data_retention: z
      .strictObject({
        production: retentionSettingsSchema.optional(),
        staging: retentionSettingsSchema.optional(),
        development: retentionSettingsSchema.optional(),
      })
      .optional(),
  })
  .meta({ id: 'ProjectSettings' });

const retentionChangeSchema = z.strictObject({
  max_backups: countSchema.nullable().optional(),
  default_config: z
    .strictObject({
      manual_count: countSchema.nullable().optional(),
      schedule: intervalSchedulesSchema.nullable().optional(),
    })
    .nullable()
    .optional(),
});

/** What is to be set: what is left out stays as it is, null goes back to the default, a list is replaced as a whole. */
export const projectSettingsChangeSchema = z
  .strictObject({
    data_retention: z
      .strictObject({
        production: retentionChangeSchema.nullable().optional(),
        staging: retentionChangeSchema.nullable().optional(),
        development: retentionChangeSchema.nullable().optional(),
      })
      .optional(),
  })
  .meta({ id: 'ProjectSettingsChange' });

/** Backups at chosen hours of chosen weekdays. Where it is enabled, there have to be some of both, and a retention: of that, the server tells. */
export const backupPolicySchema = z
  .strictObject({
    enabled: z.boolean(),
    /** Days, or a number and a unit. */
    retention: z.union([daysSchema, keepForSchema]).optional(),
    every_hour: z.boolean().default(false),
    every_day: z.boolean().default(false),
    hours: z.array(z.int().min(0).max(23)).max(24).default([]),
    /** 0 is Sunday. */
    weekdays: z.array(z.int().min(0).max(6)).max(7).default([]),
    /** Left out: the server's. */
    timezone: timeZoneSchema.optional(),
  })
  .meta({ id: 'BackupPolicy' });

/** When a component is backed up by itself. */
export const cronPolicySchema = z
  .strictObject({
    /** Five fields, six with seconds first, or a name such as `@daily`. */
    cron_string: z.string().min(1).max(200),
    /** Left out: the server's. */
    timezone: timeZoneSchema.optional(),
    /** Left out or null: kept until somebody deletes them. */
    retention: keepForSchema.nullable().optional(),
  })
  .meta({ id: 'CronPolicy' });

export type ScheduleId = z.infer<typeof scheduleIdSchema>;
export type EnvironmentType = (typeof environmentTypes)[number];
export type IntervalSchedule = z.infer<typeof intervalScheduleSchema>;
export type ProjectSettings = z.infer<typeof projectSettingsSchema>;
export type ProjectSettingsChange = z.infer<typeof projectSettingsChangeSchema>;
export type BackupPolicy = z.infer<typeof backupPolicySchema>;
export type CronPolicy = z.infer<typeof cronPolicySchema>;
