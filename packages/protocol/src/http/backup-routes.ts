import { z } from 'zod';
import {
  backupKindSchema,
  backupModeSchema,
  backupStatusSchema,
  captureFactsSchema,
  logLineSchema,
  sealedPartSchema,
} from '../backup-record.ts';
import { archiveFormatSchema } from '../data-request.ts';
import { errorReportSchema } from '../error-report.ts';
import { backupIdSchema, environmentIdSchema, jobIdSchema, timeMsSchema, vaultIdSchema } from '../ids.ts';
import { commitIdSchema } from '../mount.ts';
import { jobSchema } from './job-routes.ts';
import { route } from './route.ts';

/** A duration in whole units: `12h`, `30d`, `4w`, `6M`, `1y`. Months and years are calendar steps. */
export const retentionSchema = z.string().regex(/^[1-9][0-9]{0,4}[hdwMy]$/);

/** When a backup goes, as far as that can be foreseen, and what keeps it until then. */
export const backupExpirySchema = z
  .object({
    /** Null where it is no date. */
    atMs: timeMsSchema.nullable(),
    /** So many newer ones replace it, of those that the rule counts. Null where none do. */
    afterNext: z.int().positive().nullable(),
    /** In words: `until 2026-12-01 02:00 UTC`, `replaced after the next 2 manual backups`; null where nothing ends it. */
    text: z.string().nullable(),
    /** What keeps it, in words; empty where nothing does. */
    keptBy: z.array(z.string()),
    /** Why it is about to be removed; null for one that stays. */
    removedBy: z.string().nullable(),
  })
  .meta({ id: 'BackupExpiry' });

export const backupSummarySchema = z
  .object({
    id: backupIdSchema,
    environmentId: environmentIdSchema,
    environmentName: z.string(),
    kind: backupKindSchema,
    mode: backupModeSchema,
    status: backupStatusSchema,
    description: z.string(),
    components: z.array(z.string()),
    createdAtMs: timeMsSchema,
    finishedAtMs: timeMsSchema.nullable(),
    /** The end of its own retention. Null where it has none. */
    expiresAtMs: timeMsSchema.nullable(),
    expiry: backupExpirySchema,
    /** Bytes of the sources. Null until it is known. */
    bytes: z.int().nonnegative().nullable(),
    /** Bytes that the backup added to the vault. Null until it is known. */
    storedBytes: z.int().nonnegative().nullable(),
    /** Null until it is known. */
    capture: captureFactsSchema.nullable(),
    jobId: jobIdSchema.nullable(),
    /** Why no rule removes it; null where rules may. */
    pinReason: z.string().nullable(),
    /** Why it is not taken for good: much less was in a source than before. Null where it is, or somebody accepted it. */
    doubt: z.string().nullable(),
  })
  .meta({ id: 'BackupSummary' });

export const backupSchema = backupSummarySchema
  .extend({
    parts: z.array(sealedPartSchema),
    /** The Git commit that was checked out in the project's folder; null where the backup knows of none. */
    commitId: commitIdSchema.nullable(),
    createdBy: z.string(),
    vaultId: vaultIdSchema,
    /** Where the repository is, as stock restic takes it. */
    repository: z.string(),
    /** On the server's machine: a file with the vault's recovery key, which opens the repository. */
    passwordFile: z.string(),
    manifestSnapshotId: z.string().nullable(),
    error: errorReportSchema.nullable(),
  })
  .meta({ id: 'Backup' });

/** A file, directory or anything else in a backup. */
export const listedFileSchema = z
  .object({
    /** Bytes that are no text are shown as `\\xff`. */
    name: z.string(),
    type: z.enum(['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular']),
    /** Of a file, in bytes. */
    size: z.int().nonnegative(),
    /** Permissions, setuid, setgid and sticky: as `chmod` takes them. */
    mode: z.int().nonnegative(),
    uid: z.int().nonnegative(),
    gid: z.int().nonnegative(),
    /** Before 1970 it is negative. */
    modifiedAtMs: z.int(),
    /** Of a symbolic link. */
    linkTarget: z.string().nullable(),
  })
  .meta({ id: 'ListedFile' });

/** An entry of a part that is not the same in two backups. */
export const differenceSchema = z
  .object({
    part: z.string(),
    /** `changed`: another type, content or link target; `metadata`: only owner, mode, modification time or attributes. */
    change: z.enum(['added', 'removed', 'changed', 'metadata']),
    /** Within the part; empty for the part itself. Bytes that are no text are shown as `\\xff`. */
    path: z.string(),
    type: listedFileSchema.shape.type,
    /** Of a file, in bytes; null where it is not there. */
    oldSize: z.int().nonnegative().nullable(),
    newSize: z.int().nonnegative().nullable(),
  })
  .meta({ id: 'Difference' });

/**
 * How much processor and memory containers may use that a restore makes: as in the backup, as in the environment that the
 * target is branched from, without limits, or little.
 */
export const resourceChoiceSchema = z.enum(['backup', 'parent', 'default', 'minimum']);

/** What of a backup is downloaded. */
export const downloadSchema = z.object({
  /** Only these components, with commas between; all of the backup when left out. */
  components: z.string().min(1).optional(),
  /** Only this part, or what `path` names in it: a file comes as it is. */
  part: z.string().min(1).optional(),
  path: z.string().max(4096).optional(),
  /** Default: `tar.zst`. */
  format: archiveFormatSchema.optional(),
});

/** A file or directory of a backup. */
const pathInPartSchema = z.object({
  /** The name of the part. */
  part: z.string().min(1),
  /** Within the part, with slashes between names; empty for all of the part. */
  path: z.string().max(4096),
});

const backupParams = z.object({ backup: z.string().min(1) });

export const replacedBackupSchema = z
  .object({
    id: backupIdSchema,
    createdAtMs: timeMsSchema,
    description: z.string(),
    /** By which rule it goes, in words. */
    why: z.string(),
  })
  .meta({ id: 'ReplacedBackup' });

/** What a request that starts a job answers. */
export const startedJobSchema = z.object({ job: jobSchema }).meta({ id: 'StartedJob' });

export const backupRoutes = {
  'backup.list': route({
    method: 'GET',
    path: '/backups',
    right: 'backup:read',
    summary: 'Backups, newest first',
    query: z.object({
      /** Id or name of an environment; all when left out. */
      environment: z.string().optional(),
      kind: backupKindSchema.optional(),
      /** All but this kind. */
      notKind: backupKindSchema.optional(),
      status: backupStatusSchema.optional(),
      limit: z.coerce.number().int().min(1).max(1000).optional(),
      /** The `next` of the previous page. */
      after: z.string().optional(),
    }),
    status: 200,
    response: z.object({ backups: z.array(backupSummarySchema), next: z.string().nullable() }),
  }),
  'backup.get': route({
    method: 'GET',
    path: '/backups/{backup}',
    right: 'backup:read',
    summary: 'One backup with its parts',
    params: backupParams,
    status: 200,
    response: backupSchema,
  }),
  'backup.log': route({
    method: 'GET',
    path: '/backups/{backup}/log',
    right: 'backup:read',
    summary: 'What was noted while the backup was taken, or when it was last restored',
    params: backupParams,
    query: z.object({ of: z.enum(['backup', 'restore']).optional() }),
    status: 200,
    response: z.object({ log: z.array(logLineSchema) }),
  }),
  'backup.files': route({
    method: 'GET',
    path: '/backups/{backup}/files',
    right: 'backup:read',
    summary: 'What is in a directory of a part of a backup, by name',
    params: backupParams,
    query: z.object({
      /** The name of the part. */
      part: z.string().min(1),
      /** Within the part, with slashes between names; all of the part when left out. */
      path: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(10_000).optional(),
      /** The `next` of the previous page. */
      after: z.string().optional(),
    }),
    status: 200,
    handedOver: 'application/json',
    response: z.object({ files: z.array(listedFileSchema), next: z.string().nullable() }),
  }),
  'backup.diff': route({
    method: 'GET',
    path: '/backups/{backup}/diff',
    right: 'backup:read',
    summary: 'What differs between a backup and a later one, by part and path',
    params: backupParams,
    query: z.object({
      /** The other backup, of the same environment. */
      with: z.string().min(1),
      /** At most so many. Default: 10,000. */
      limit: z.coerce.number().int().min(1).max(100_000).optional(),
    }),
    status: 200,
    handedOver: 'application/json',
    response: z.object({ differences: z.array(differenceSchema), isMore: z.boolean() }),
  }),
  'backup.download': route({
    method: 'GET',
    path: '/backups/{backup}/download',
    right: 'backup:download',
    summary: 'A backup as an archive, or a file or directory of it',
    params: backupParams,
    query: downloadSchema,
    status: 200,
    handedOver: 'application/octet-stream',
    response: z.string(),
  }),
  'backup.link': route({
    method: 'POST',
    path: '/backups/{backup}/links',
    right: 'backup:download',
    summary: 'A link to a download, for whoever has it, for some time',
    params: backupParams,
    body: downloadSchema.extend({
      /** A minute to 7 days. Default: an hour. */
      validForSeconds: z.int().min(60).max(604_800).optional(),
    }),
    status: 200,
    response: z.object({
      /** To be put behind the scheme, host and port of the server. */
      path: z.string(),
      expiresAtMs: timeMsSchema,
    }),
  }),
  'backup.linked': route({
    method: 'GET',
    path: '/downloads/{link}',
    right: null,
    summary: 'The download that a link is of',
    params: z.object({ link: z.string().min(1) }),
    status: 200,
    handedOver: 'application/octet-stream',
    response: z.string(),
  }),
  'backup.create': route({
    method: 'POST',
    path: '/environments/{environment}/backups',
    right: 'backup:create',
    summary: 'Take a backup',
    params: z.object({ environment: z.string().min(1) }),
    body: z.object({
      description: z.string().max(1000).optional(),
      /** Only these components; all when left out. */
      components: z.array(z.string()).min(1).optional(),
      /** The instance in which a backup command runs, by name or id; the first healthy one when left out. */
      instance: z.string().min(1).optional(),
      retention: retentionSchema.optional(),
      /** Accept a mount that held data in the last backup and is empty now. */
      allowEmpty: z.boolean().optional(),
      /**
       * Keep the environment's code and configuration too, where all components are chosen, and images that no registry
       * has. Default: yes.
       */
      code: z.boolean().optional(),
      /** `live`: without pausing anything. Default: `consistent`, for a moment at which everything stands still. */
      mode: backupModeSchema.optional(),
      /** What to do if the environment cannot be held still. Default: `fail`. */
      fallback: z.enum(['fail', 'live']).optional(),
    }),
    status: 202,
    response: startedJobSchema.extend({
      backupId: backupIdSchema,
      /** Backups that are removed once this one is ready, because of it. */
      replaces: z.array(replacedBackupSchema),
    }),
  }),
  'backup.restore': route({
    method: 'POST',
    path: '/backups/{backup}/restore',
    right: 'backup:restore',
    summary: 'Put its environment, or another one, to the state of this backup',
    params: backupParams,
    body: z.object({
      /** The environment whose mounts are overwritten, by id or name. Default: the one that the backup is of. */
      target: z.string().min(1).optional(),
      /**
       * Makes the target new, under the name that it has in `target`, beside this environment, by id or name: containers, volumes and
       * networks of its own.
       */
      branchFrom: z.string().min(1).optional(),
      /** Where a new target is made, by id or name. Default: where the one is that it is branched from. */
      node: z.string().min(1).optional(),
      /**
       * Whether containers that the target does not have are made as the backup says it. Default: yes. Without, a new
       * target is made as the one that it is branched from.
       */
      code: z.boolean().optional(),
      /** Make networks and volumes too that are missing and not the environment's own. Default: no. */
      createExternal: z.boolean().optional(),
      /**
       * Make containers too that may do more to their machine than those of now can (are privileged, have capabilities,
       * mount paths of the machine), or that an archive which was handed in asks such for. Default: no.
       */
      allowPrivileges: z.boolean().optional(),
      /** How much processor and memory containers that are made may use. Default: `backup`. */
      resources: resourceChoiceSchema.optional(),
      /** Only these components; all of the backup when left out. */
      components: z.array(z.string()).min(1).optional(),
      /** Only these files and directories; all else in the mounts is left as it is. */
      paths: z.array(pathInPartSchema).min(1).max(1000).optional(),
      /** The instance in which a restore command runs, by name or id; the first healthy one when left out. */
      instance: z.string().min(1).optional(),
      /** Keep what is overwritten as a safety backup for 7 days. Default: yes. */
      safety: z.boolean().optional(),
      /** Change nothing: a job of kind `preview` notes in its log what would be done. Default: no. */
      dryRun: z.boolean().optional(),
    }),
    status: 202,
    response: startedJobSchema,
  }),
  'backup.delete': route({
    method: 'DELETE',
    path: '/backups/{backup}',
    right: 'backup:delete',
    summary: 'Delete a backup for good',
    params: backupParams,
    status: 202,
    response: startedJobSchema,
  }),
  'backup.deleteSeveral': route({
    method: 'POST',
    path: '/backups/delete',
    right: 'backup:delete',
    summary: 'Delete several backups of one environment for good, in one job',
    body: z.object({
      /** A backup that is pinned has to be named by its whole id. */
      backups: z.array(z.string().min(1)).min(1).max(10_000),
    }),
    status: 202,
    response: startedJobSchema,
  }),
  'backup.pin': route({
    method: 'POST',
    path: '/backups/{backup}/pin',
    right: 'backup:create',
    summary: 'Keep a backup from every rule, and from being deleted with others',
    params: backupParams,
    body: z.object({ reason: z.string().trim().min(1).max(1000) }),
    status: 202,
    response: startedJobSchema,
  }),
  'backup.accept': route({
    method: 'DELETE',
    path: '/backups/{backup}/doubt',
    right: 'backup:create',
    summary: 'Take a doubtful backup for good: what its sources lost was meant to go',
    params: backupParams,
    status: 200,
    response: backupSchema,
  }),
  'backup.unpin': route({
    method: 'DELETE',
    path: '/backups/{backup}/pin',
    right: 'backup:create',
    summary: 'Let rules remove a backup again',
    params: backupParams,
    status: 202,
    response: startedJobSchema,
  }),
};

export type BackupExpiry = z.infer<typeof backupExpirySchema>;
export type ReplacedBackup = z.infer<typeof replacedBackupSchema>;
export type BackupSummary = z.infer<typeof backupSummarySchema>;
export type ResourceChoice = z.infer<typeof resourceChoiceSchema>;
export type Download = z.infer<typeof downloadSchema>;
export type Difference = z.infer<typeof differenceSchema>;
export type ListedFile = z.infer<typeof listedFileSchema>;
export type Backup = z.infer<typeof backupSchema>;
