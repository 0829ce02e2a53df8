import { z } from 'zod';
import { manifestSchema } from '../backup-record.ts';
import { backupIdSchema, jobIdSchema, objectIdSchema, taskIdSchema } from '../ids.ts';
import {
  commandSourceSchema,
  imageSourceSchema,
  mountPointSchema,
  mountSourceSchema,
  partSourceSchema,
} from '../mount.ts';
import { repositoryAccessSchema, storageAccessSchema } from '../repository-access.ts';
import { vaultMarkerSchema } from '../vault-report.ts';

const taskBase = {
  version: z.literal(1),
  taskId: taskIdSchema,
  jobId: jobIdSchema,
  /** Grows by one each time the task's lease changes hands; events carry it. */
  epoch: z.int().positive(),
  /** The task's own event file, appended to before standard output. */
  eventsPath: z.string(),
  /** An existing directory on local storage that only the task uses; removed by who started it. */
  scratchPath: z.string(),
};

/** Of a task that needs a vault. */
const repositoryTaskBase = { ...taskBase, repository: repositoryAccessSchema };

/** A line of shell that runs in a container, in a process group of its own. */
const commandSchema = z.object({
  /** Of the Docker Engine, as for its own client: `unix://…`. */
  dockerHost: z.string(),
  containerId: z.string(),
  /** For messages. */
  containerName: z.string(),
  command: z.string(),
  timeoutMs: z.int().positive(),
});

/** What a task that writes a backup is told. */
const writingBase = {
  /** The manifest to be, all but what the run itself finds out: the rest is filled in by the mover. */
  manifest: manifestSchema.omit({ parts: true, capture: true, log: true, finishedAtMs: true }),
  /** Created with these passwords when the location holds none yet and the catalog has never seen one there. */
  initialize: z.object({ recoveryPassword: z.string() }).nullable(),
};

/** The part `code`. */
const codeSchema = z.object({
  name: z.string(),
  /** What becomes `model.json`: secret, for it has the variables of containers. */
  model: z.string(),
  /** The project's folder; null where it cannot or must not be read. */
  folder: z
    .object({
      /** Absolute path on this machine that was proven to be the folder. */
      path: z.string(),
      /** The same on the node, as Compose named it, and with every link followed. */
      nodePaths: z.array(z.string()),
      /** Names of files right in it that are kept where the folder is not: the Compose files, `.env`. */
      files: z.array(z.string()),
      /** Null: the folder is not kept, but only those files. */
      whole: z
        .object({
          /** Paths within it that are left out, with slashes between names. */
          leftOut: z.array(z.string()),
          /** Above one of these, only those files are kept. */
          limits: z.object({ entries: z.int().positive(), bytes: z.int().positive() }),
          /** Above one of these, the task fails. */
          isRequired: z.boolean(),
        })
        .nullable(),
    })
    .nullable(),
  parentSnapshotId: objectIdSchema.nullable(),
});

/** An image of which a part is made. */
const imageSchema = z.object({
  name: z.string(),
  source: imageSourceSchema,
  dockerHost: z.string(),
  /** A part with the same image, which is taken over if the repository still has it. */
  known: z.object({ snapshotId: objectIdSchema, treeId: objectIdSchema }).nullable(),
});

/** With mode `consistent`, the mover waits to be told that the sources stand still. */
export const backupTaskSchema = z.object({
  ...repositoryTaskBase,
  ...writingBase,
  kind: z.literal('backup'),
  parts: z.array(
    z.object({
      name: z.string(),
      source: mountSourceSchema,
      mountPoints: z.array(mountPointSchema),
      /** Absolute path on this machine that was proven to be the source. */
      path: z.string(),
      /** The newest snapshot of the same part, for skipping unchanged files. */
      parentSnapshotId: objectIdSchema.nullable(),
      /** True when an earlier backup of this part held data: then an empty source fails the part. */
      mustNotBeEmpty: z.boolean(),
    }),
  ),
  /** Parts that are what a command prints. */
  commands: z.array(
    commandSchema.extend({
      name: z.string(),
      source: commandSourceSchema,
      mountPoints: z.array(mountPointSchema),
      /** A regular expression that the last kilobyte, one character a byte, has to match: complete output ends so. */
      endPattern: z.string().nullable(),
    }),
  ),
  /** Null: not in this backup. */
  code: codeSchema.nullable(),
  images: z.array(imageSchema),
});

export const restoreTaskSchema = z.object({
  ...repositoryTaskBase,
  kind: z.literal('restore'),
  backupId: backupIdSchema,
  parts: z.array(
    z.object({
      name: z.string(),
      snapshotId: objectIdSchema,
      treeId: objectIdSchema,
      /** Absolute path on this machine, from the target's own configuration. */
      path: z.string(),
      /** What of the part's tree is restored: names from its top. */
      nodePath: z.tuple([z.string()], z.string()),
      /** Only what lies at these paths in that, by names; null: all of it. */
      only: z.array(z.tuple([z.string()], z.string())).nullable(),
      /** What lies at these paths in the target stays as it is. */
      kept: z.array(z.tuple([z.string()], z.string())),
      /** As the backup counted them: for progress only. */
      files: z.int().nonnegative(),
      bytes: z.int().nonnegative(),
    }),
  ),
});

/** Tells what a restore would change, and changes nothing. */
export const compareTaskSchema = restoreTaskSchema.extend({ kind: z.literal('compare') });

/** Puts a folder of a backup to where nothing is yet, and nobody looks. */
export const unpackTaskSchema = z.object({
  ...repositoryTaskBase,
  kind: z.literal('unpack'),
  /** Of the part. */
  name: z.string(),
  treeId: objectIdSchema,
  /** The folder within the part, by names. */
  nodePath: z.tuple([z.string()], z.string()),
  /** Absolute path on this machine: an empty folder. */
  path: z.string(),
});

/** Gives parts to the commands that take them in again, in containers that run. */
export const feedTaskSchema = z.object({
  ...repositoryTaskBase,
  kind: z.literal('feed'),
  backupId: backupIdSchema,
  commands: z.array(
    commandSchema.extend({
      name: z.string(),
      treeId: objectIdSchema,
      bytes: z.int().nonnegative(),
    }),
  ),
});

/** Tells what an environment was made of, and gives Docker Engines the images that no registry has. */
export const codeTaskSchema = z.object({
  ...repositoryTaskBase,
  kind: z.literal('code'),
  /** Of the part of code. */
  treeId: objectIdSchema,
  /** Parts that were bound: whether each is a folder or a single file is asked. */
  binds: z.array(z.object({ name: z.string(), treeId: objectIdSchema })),
  images: z.array(
    z.object({
      name: z.string(),
      treeId: objectIdSchema,
      bytes: z.int().nonnegative(),
      imageId: z.string(),
      /** What it is to be called there, if nothing is called so. */
      reference: z.string(),
      /** That takes it in. */
      dockerHost: z.string(),
    }),
  ),
});

/**
 * Makes a backup of an archive or a dump: one that `backup:download` made, an archive of what is in one mount, or what a
 * backup command once printed.
 */
export const importTaskSchema = z.object({
  ...repositoryTaskBase,
  ...writingBase,
  kind: z.literal('import'),
  source: z.discriminatedUnion('kind', [
    /** Untrusted, and a secret: it may be signed. */
    z.object({
      kind: z.literal('url'),
      url: z.string(),
      /** Ranges of addresses, in CIDR notation, that it may lead to although they are not public. */
      allowedRanges: z.array(z.string()),
    }),
    /** A file on this machine, which the task only reads. */
    z.object({ kind: z.literal('file'), path: z.string() }),
  ]),
  limits: z.object({
    /** Of the source as it comes. */
    bytes: z.int().positive(),
    /** For a download. */
    durationMs: z.int().positive(),
    /** What an archive may come to. */
    archive: z.object({
      entries: z.int().positive(),
      unpackedBytes: z.int().positive(),
      /** Unpacked bytes for each packed one. */
      ratio: z.int().positive(),
    }),
  }),
  /** The parts that a backup of the environment has now: the source becomes some of them, or one. */
  places: z.array(
    z.object({
      name: z.string(),
      source: partSourceSchema,
      mountPoints: z.array(mountPointSchema),
      /** As in a backup task; null for mounts. */
      endPattern: z.string().nullable(),
    }),
  ),
  /** Only what is of this component; null: of any. */
  component: z.string().nullable(),
  /** Only this one of the places; null: any. */
  part: z.string().nullable(),
});

/**
 * Removes the snapshots of backups, one backup after the other: of each the manifest first, so that no committed backup
 * ever lacks a part. A cancel ends it between two backups.
 */
export const forgetTaskSchema = z.object({
  ...repositoryTaskBase,
  kind: z.literal('forget'),
  backupIds: z.array(backupIdSchema).min(1),
});

/** Writes a new revision of a backup's manifest, and removes the older ones. */
export const reviseTaskSchema = z.object({
  ...repositoryTaskBase,
  kind: z.literal('revise'),
  backupId: backupIdSchema,
  pinReason: z.string().nullable(),
});

/** Removes what no snapshot needs. */
export const pruneTaskSchema = z.object({ ...repositoryTaskBase, kind: z.literal('prune') });

/**
 * Looks for what somebody removed or changed in a repository behind our back. Only after `commit` something is written:
 * an index that names lost packs no more.
 */
export const inspectTaskSchema = z.object({
  ...repositoryTaskBase,
  kind: z.literal('inspect'),
  /** The backups that are to be there. */
  backups: z.array(
    z.object({
      backupId: backupIdSchema,
      parts: z.array(z.object({ name: z.string(), snapshotId: objectIdSchema, treeId: objectIdSchema })),
    }),
  ),
  /** Walk all that they hold, also where nothing shows that anything is gone: for backups that lost something before. */
  isThorough: z.boolean(),
});

/**
 * Tells which backups a repository holds, and then lets its own password open it. Until that is committed, nothing in it
 * changes. `repository` has the password that opens it now: the vault's recovery key.
 */
export const rebuildTaskSchema = z.object({
  ...repositoryTaskBase,
  kind: z.literal('rebuild'),
  ownPassword: z.string().min(1),
});

/**
 * Makes a backup of each snapshot of a repository that stock restic has made, but for those that are one already. The
 * snapshots stay as they are. `repository` has the password that its owner gave. Whoever ends it at whatever moment, what
 * it has written is true, and running it again goes on.
 */
export const adoptTaskSchema = z.object({
  ...repositoryTaskBase,
  kind: z.literal('adopt'),
  /** What the backups will be of. */
  environment: manifestSchema.shape.environment,
  createdBy: z.string(),
  /** Both are to open the repository too. */
  ownPassword: z.string().min(1),
  recoveryPassword: z.string().min(1),
  /** Tell which ones, and write nothing. */
  isDryRun: z.boolean(),
});

/** Looks at a vault, or tries it out. */
export const vaultTaskSchema = z.object({
  ...taskBase,
  kind: z.literal('vault'),
  location: z.string(),
  storage: storageAccessSchema.optional(),
  action: z.discriminatedUnion('kind', [
    /** Reads the marker, and makes it where there is none and it may. */
    z.object({
      kind: z.literal('open'),
      marker: vaultMarkerSchema,
      mayMake: z.boolean(),
      /** That have to hold a repository. */
      folders: z.array(z.string()),
    }),
    /** Writes, reads, lists and removes a file. */
    z.object({ kind: z.literal('test') }),
    z.object({ kind: z.literal('list') }),
    z.object({ kind: z.literal('measure') }),
  ]),
});

/** Brings targets whose restore was cut off wholly to their new state, or back to their old one. */
export const settleTaskSchema = z.object({
  ...taskBase,
  kind: z.literal('settle'),
  direction: z.enum(['forward', 'back']),
  parts: z.array(
    z.object({
      name: z.string(),
      /** Absolute path on this machine, from the target's own configuration. */
      path: z.string(),
    }),
  ),
});

export const taskSpecSchema = z.discriminatedUnion('kind', [
  backupTaskSchema,
  restoreTaskSchema,
  compareTaskSchema,
  unpackTaskSchema,
  codeTaskSchema,
  feedTaskSchema,
  importTaskSchema,
  forgetTaskSchema,
  reviseTaskSchema,
  pruneTaskSchema,
  inspectTaskSchema,
  settleTaskSchema,
  rebuildTaskSchema,
  adoptTaskSchema,
  vaultTaskSchema,
]);

export type BackupTask = z.infer<typeof backupTaskSchema>;
export type VaultTask = z.infer<typeof vaultTaskSchema>;
export type AdoptTask = z.infer<typeof adoptTaskSchema>;
export type RebuildTask = z.infer<typeof rebuildTaskSchema>;
export type RestoreTask = z.infer<typeof restoreTaskSchema>;
export type CompareTask = z.infer<typeof compareTaskSchema>;
export type UnpackTask = z.infer<typeof unpackTaskSchema>;
export type CodeTask = z.infer<typeof codeTaskSchema>;
export type FeedTask = z.infer<typeof feedTaskSchema>;
export type ImportTask = z.infer<typeof importTaskSchema>;
export type ForgetTask = z.infer<typeof forgetTaskSchema>;
export type ReviseTask = z.infer<typeof reviseTaskSchema>;
export type PruneTask = z.infer<typeof pruneTaskSchema>;
export type InspectTask = z.infer<typeof inspectTaskSchema>;
export type SettleTask = z.infer<typeof settleTaskSchema>;
export type TaskSpec = z.infer<typeof taskSpecSchema>;
