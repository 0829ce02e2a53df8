import {
  type BackupId,
  backupIdSchema,
  type EnvironmentId,
  environmentIdSchema,
  type Job,
  type JobId,
  type JobKind,
  type JobState,
  type LogLine,
  type RepositoryId,
  resourceChoiceSchema,
  uploadIdSchema,
  vaultIdSchema,
} from '@holdfast/protocol';
import { z } from 'zod';

/** What of a backup is restored: one of both is null. */
const restoreChoice = {
  /** Null: all components. */
  components: z.array(z.string()).nullable(),
  /** Only these files and directories: names from the top of the part, none for all of it. Null: all. */
  paths: z
    .array(z.object({ part: z.string(), names: z.array(z.string()) }))
    .nullable()
    .default(null),
};

/** What a job is to do, as it was asked for; checked before the job was made. */
export const jobRequestSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('backup'),
    /** Null: all components. */
    components: z.array(z.string()).nullable(),
    /** Where commands run; null: the first healthy one of each component. */
    instance: z.string().nullable().default(null),
    allowEmpty: z.boolean(),
    /** Whether code, configuration and images are kept too. */
    code: z.boolean().default(true),
    /** Of a consistent backup, where the environment cannot be held still. */
    fallback: z.enum(['fail', 'live']).default('fail'),
  }),
  z.object({
    kind: z.literal('restore'),
    ...restoreChoice,
    instance: z.string().nullable().default(null),
    /** Whether what is overwritten is kept as a safety backup. */
    safety: z.boolean().default(true),
    /** Whether containers that are not there are made, as the backup says it. */
    code: z.boolean().default(true),
    /** Whether networks and volumes that are not the environment's own are made too, where they are missing. */
    createExternal: z.boolean().default(false),
    /** Whether containers are made that may do more to the machine than those of now. */
    allowPrivileges: z.boolean().default(false),
    /** How much containers that are made may use. */
    resources: resourceChoiceSchema.default('backup'),
    /** Whose containers `parent` means, and whose are made where the backup's are not wanted. */
    parentId: environmentIdSchema.nullable().default(null),
  }),
  /** What such a restore would do. */
  z.object({
    kind: z.literal('preview'),
    ...restoreChoice,
    instance: z.string().nullable(),
    code: z.boolean().default(true),
    createExternal: z.boolean().default(false),
    allowPrivileges: z.boolean().default(false),
    resources: resourceChoiceSchema.default('backup'),
  }),
  z.object({
    kind: z.literal('import'),
    source: z.discriminatedUnion('kind', [
      /** Sealed for the row of the job's backup. */
      z.object({ kind: z.literal('url'), sealedUrl: z.string() }),
      z.object({ kind: z.literal('upload'), uploadId: uploadIdSchema }),
    ]),
    component: z.string().nullable(),
    part: z.string().nullable(),
  }),
  z.object({
    kind: z.literal('adopt'),
    vaultId: vaultIdSchema,
    folder: z.string(),
    opens: z.discriminatedUnion('kind', [
      /** A repository of Holdfast's own. */
      z.object({ kind: z.literal('recovery-key') }),
      /** Both sealed for the row of the job's environment: what its owner gave, and what is to open it from then on. */
      z.object({ kind: z.literal('password'), sealedPassword: z.string(), sealedOwnPassword: z.string() }),
    ]),
    isDryRun: z.boolean(),
  }),
  z.object({
    kind: z.literal('delete'),
    /** Of the job's environment; none where it is only the job's own. */
    backupIds: z.array(backupIdSchema).default([]),
    /** Whether a user asked for it, rather than a rule. */
    isAsked: z.boolean().default(true),
    /** For the log: why a rule asked for it. */
    reasons: z.array(z.string()).default([]),
  }),
  /** A new manifest, with what changed of the backup. */
  z.object({ kind: z.literal('revise'), pinReason: z.string().nullable() }),
  z.object({ kind: z.literal('prune') }),
  z.object({ kind: z.literal('inspect') }),
]);

export type JobRequest = z.infer<typeof jobRequestSchema>;

/** A job as the catalog has it: what the API shows, and what its execution needs. */
export interface JobRecord extends Job {
  readonly request: JobRequest;
  /** Of a job that looks after a repository. */
  readonly repositoryId: RepositoryId | null;
  readonly epoch: number;
  readonly leaseOwner: string | null;
}

/** The right to work on a job: void as soon as another owner took it over with a higher epoch. */
export interface Lease {
  readonly jobId: JobId;
  readonly owner: string;
  readonly epoch: number;
}

export interface NewJob {
  readonly kind: JobKind;
  readonly environmentId: EnvironmentId;
  readonly backupId: BackupId | null;
  readonly request: JobRequest;
  readonly createdBy: string;
}

/** One that looks after a repository, beside whatever its environment does. */
export interface NewMaintenance {
  readonly kind: MaintenanceKind;
  readonly environmentId: EnvironmentId;
  readonly repositoryId: RepositoryId;
  readonly createdBy: string;
}

/** One of each kind at a time for a repository: the repository's own locks keep them apart from all else. */
export const maintenanceKinds = ['prune', 'inspect'] as const satisfies readonly JobKind[];
export type MaintenanceKind = (typeof maintenanceKinds)[number];

/** The backups that a job deletes. */
export function deletedBy({
  backupId,
  request,
}: Pick<JobRecord, 'backupId' | 'request'>): readonly BackupId[] {
  if (request.kind !== 'delete') return [];
  if (request.backupIds.length > 0) return request.backupIds;
  return backupId === null ? [] : [backupId];
}

export interface JobFilter {
  readonly environmentId?: EnvironmentId | undefined;
  readonly state?: JobState | undefined;
  readonly kind?: JobKind | undefined;
  readonly backupId?: BackupId | undefined;
  readonly limit: number;
}

export interface JobChange {
  readonly step?: string;
  readonly progress?: Job['progress'];
  readonly warnings?: readonly string[];
}

export interface JobOutcome {
  readonly state: Extract<JobState, 'done' | 'warnings' | 'failed' | 'cancelled'>;
  readonly error: Job['error'];
  readonly warnings: readonly string[];
}

export interface NumberedLogLine {
  readonly seq: number;
  readonly line: LogLine;
}

/** What the API shows of a job. */
export function toJob({
  request: _request,
  repositoryId: _repository,
  epoch: _epoch,
  leaseOwner: _owner,
  ...job
}: JobRecord): Job {
  return job;
}
