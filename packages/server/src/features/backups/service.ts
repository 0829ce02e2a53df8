import { type Abortable, type Clock, HoldfastError } from '@holdfast/base';
import type {
  Backup,
  BackupExpiry,
  BackupId,
  BackupKind,
  BackupMode,
  BackupStatus,
  DataRequest,
  Download,
  EnvironmentId,
  JobId,
  LogLine,
  ReplacedBackup,
  ResourceChoice,
} from '@holdfast/protocol';
import type { Catalog, Tx } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import { requireInstance } from '../environments/commands/choose-instance.ts';
import type { EnvironmentRecord } from '../environments/environment-record.ts';
import type { Branch, EnvironmentService } from '../environments/service.ts';
import type { JobRecord } from '../jobs/job-record.ts';
import type { JobService } from '../jobs/service.ts';
import type { NodeService } from '../nodes/service.ts';
import type { RepositoryService } from '../repositories/service.ts';
import type { ScheduleService } from '../schedules/service.ts';
import type { BackupWithParts, ListedBackups, NewBackup } from './backup-record.ts';
import {
  requireBackupPossible,
  requireBranchPossible,
  requireReady,
  requireRestorePossible,
} from './check-request.ts';
import type { DownloadLink, DownloadLinks, LinkedDownload } from './download-links.ts';
import { type DownloadRequest, diffOf, downloadOf, type ListFilesRequest, listFilesOf } from './downloads.ts';
import { expiryOf } from './expiry.ts';
import { findBackup, requireUnused } from './find-backup.ts';
import { parseCursor } from './page-cursor.ts';
import { pathsToRestore } from './paths-to-restore.ts';
import type { BackupStore } from './store.ts';

export interface CreateBackupRequest {
  /** Id or name. */
  readonly environment: string;
  readonly description: string;
  /** Undefined: all. */
  readonly components: readonly string[] | undefined;
  /** Where commands run; undefined: the first healthy one of each component. */
  readonly instance: string | undefined;
  /** Undefined: kept until it is deleted. */
  readonly retention: string | undefined;
  readonly allowEmpty: boolean;
  /** Whether code, configuration and images are kept too. */
  readonly code: boolean;
  readonly mode: BackupMode;
  /** Of a consistent one, where the environment cannot be held still. */
  readonly fallback: 'fail' | 'live';
  readonly createdBy: string;
}

/** One that a schedule is due for. */
export interface AutomatedBackupRequest {
  readonly environmentId: EnvironmentId;
  /** Null: all. */
  readonly component: string | null;
  /** Asked in the transaction that queues it: false where another server was faster. */
  readonly begin: (backup: Pick<NewBackup, 'id' | 'createdAtMs'>, tx: Tx) => Promise<boolean>;
}

export interface RestoreRequest {
  readonly backup: string;
  /** Id or name; undefined: the environment that the backup is of. */
  readonly target: string | undefined;
  /** Id or name: makes the target beside this one, under the name that `target` says. */
  readonly branchFrom: string | undefined;
  /** Id or name, of where that is made; undefined: where the other is. */
  readonly node: string | undefined;
  /** Whether containers that are not there are made. */
  readonly code: boolean;
  readonly createExternal: boolean;
  readonly allowPrivileges: boolean;
  readonly resources: ResourceChoice;
  /** Undefined: all of the backup. */
  readonly components: readonly string[] | undefined;
  /** Only these files and directories; undefined: all. */
  readonly paths: readonly { readonly part: string; readonly path: string }[] | undefined;
  /** Where commands run; undefined: the first healthy one of each component. */
  readonly instance: string | undefined;
  /** Whether what is overwritten is kept as a safety backup. */
  readonly safety: boolean;
  /** Only note what would be done. */
  readonly dryRun: boolean;
  readonly createdBy: string;
}

export interface CreatedBackup {
  readonly job: JobRecord;
  readonly backupId: BackupId;
  /** What goes once it is ready, because of it. */
  readonly replaces: readonly ReplacedBackup[];
}

export interface ListBackupsRequest {
  readonly environment: string | undefined;
  readonly kind: BackupKind | undefined;
  readonly notKind: BackupKind | undefined;
  readonly status: BackupStatus | undefined;
  readonly limit: number | undefined;
  readonly after: string | undefined;
}

/**
 * Backups as users see and ask for them. What is asked for is checked and queued here; the work itself is a job's.
 * Where one backup is named: `backup-unknown`, or `usage-invalid` for a beginning of an id that several have.
 */
export interface BackupService {
  list(request: ListBackupsRequest): Promise<ListedBackups>;
  get(idOrPrefix: string): Promise<Backup>;
  /** One that was doubtful counts from now on. @throws HoldfastError `backup-not-ready` where it is not ready */
  accept(idOrPrefix: string): Promise<Backup>;
  /** What was noted while it was taken, or when it was last restored; none if it never was. */
  log(idOrPrefix: string, of: 'backup' | 'restore'): Promise<LogLine[]>;
  /**
   * @throws HoldfastError `environment-unknown`, `environment-ambiguous`, `environment-deleted`, `environment-inactive`,
   *   `environment-empty`, `environment-busy`, `environment-unfinished-restore`, `component-unknown`, `docker-unreachable`
   */
  create(request: CreateBackupRequest, options?: Abortable): Promise<CreatedBackup>;
  /**
   * Consistent, or live where the environment cannot be held still. Undefined where it is not due any more.
   * @throws HoldfastError as `create`
   */
  createAutomated(
    request: AutomatedBackupRequest,
    options?: Abortable,
  ): Promise<{ readonly job: JobRecord; readonly backupId: BackupId } | undefined>;
  /**
   * The job is the target's, and so is the safety backup.
   * @throws HoldfastError `backup-not-ready`, `component-unknown`, `path-unknown`, `usage-invalid`, `environment-busy`,
   *   `environment-unfinished-restore`, `environment-unknown`, `environment-ambiguous`
   */
  restore(request: RestoreRequest): Promise<JobRecord>;
  /** What the data process is to send. @throws HoldfastError `backup-not-ready`, `component-unknown`, `path-unknown` */
  download(idOrPrefix: string, request: DownloadRequest): Promise<DataRequest>;
  /** For whoever has it. @throws HoldfastError as `download` */
  link(idOrPrefix: string, download: Download, validForMs: number): Promise<DownloadLink>;
  /** @throws HoldfastError `unauthenticated` */
  openLink(link: string): LinkedDownload;
  /** The same for a list of files. @throws HoldfastError `backup-not-ready`, `path-unknown` */
  listFiles(idOrPrefix: string, request: ListFilesRequest): Promise<DataRequest>;
  /** The same for what differs between two. @throws HoldfastError `backup-not-ready`, `usage-invalid` */
  diff(older: string, newer: string, limit: number): Promise<DataRequest>;
}

export interface BackupServiceOptions {
  readonly catalog: Catalog;
  readonly store: BackupStore;
  readonly jobs: JobService;
  readonly environments: EnvironmentService;
  readonly nodes: Pick<NodeService, 'find'>;
  readonly repositories: RepositoryService;
  readonly retention: Pick<ScheduleService, 'expiries' | 'replacedByManual'>;
  readonly links: DownloadLinks;
  readonly clock: Clock;
  readonly ids: Ids;
}

const defaultPage = 100;
/** Of one that retention says nothing of. */
const neverEnds: BackupExpiry = { atMs: null, afterNext: null, text: null, keptBy: [], removedBy: null };

export function createBackupService(options: BackupServiceOptions): BackupService {
  const { catalog, store, jobs, environments, nodes, repositories, retention, links, clock, ids } = options;

  const find = async (idOrPrefix: string): Promise<BackupWithParts> => await findBackup(store, idOrPrefix);

  async function environmentOf(backup: BackupWithParts) {
    const environment = await environments.get(backup.environmentId);
    if (environment !== undefined) return environment;
    throw new HoldfastError('internal', `The catalog has no environment ${backup.environmentId}.`);
  }

  async function targetOf(backup: BackupWithParts, named: string | undefined): Promise<EnvironmentRecord> {
    return named === undefined ? await environmentOf(backup) : await environments.find(named);
  }

  async function branchOf(request: RestoreRequest): Promise<Branch | undefined> {
    const { branchFrom, target: name, node } = request;
    requireBranchPossible(request);
    if (branchFrom === undefined || name === undefined) return undefined;
    const parent = await environments.find(branchFrom);
    return { name, parent, nodeId: node === undefined ? parent.nodeId : (await nodes.find(node)).id };
  }

  async function describe({ repositoryId, ...backup }: BackupWithParts): Promise<Backup> {
    const { vaultId, location, passwordFile } = await repositories.describe(repositoryId);
    const expiry = (await retention.expiries([backup.environmentId])).get(backup.id) ?? neverEnds;
    const described = { vaultId, repository: location, passwordFile, commitId: commitIdOf(backup), expiry };
    return { ...backup, parts: [...backup.parts], ...described };
  }

  /** Said beforehand: nothing goes before the new one is ready. */
  async function replacedBy(
    id: EnvironmentId,
    components: readonly string[] | undefined,
  ): Promise<ReplacedBackup[]> {
    const replaced = await retention.replacedByManual(id, { isWhole: components === undefined });
    const backups = await Promise.all(replaced.map(async (each) => await store.get(each.id)));
    return backups.flatMap((backup, place) => {
      const why = replaced[place]?.why;
      if (backup === undefined || why === undefined) return [];
      const { id: replacedId, createdAtMs, description } = backup;
      return [{ id: replacedId, createdAtMs, description, why }];
    });
  }

  async function lastRestoreOf({ id }: BackupWithParts): Promise<JobId | null> {
    const restores = await jobs.list({ backupId: id, kind: 'restore', limit: 1 });
    return restores[0]?.id ?? null;
  }

  /** @param may asked in the transaction, before anything is queued; false: nothing is */
  async function create(
    request: CreateBackupRequest,
    kind: 'manual' | 'automated',
    may: (backup: NewBackup, tx: Tx) => Promise<boolean>,
    { signal }: Abortable,
  ): Promise<{ readonly job: JobRecord; readonly backupId: BackupId } | undefined> {
    const survey = await environments.survey(request.environment, { signal });
    const { record: environment } = survey;
    const components = requireBackupPossible(survey, request);
    if (request.instance !== undefined) requireInstance(survey, request.instance, components);
    const createdAtMs = clock.now();
    const { createdBy, description, allowEmpty, code, mode, fallback, retention } = request;
    const backup = {
      id: ids.backup(),
      environmentId: environment.id,
      ...{ kind, mode, description, components, createdBy, createdAtMs },
      expiresAtMs: retention === undefined ? null : expiryOf(createdAtMs, retention),
    };
    const asked = {
      kind: 'backup' as const,
      components: request.components === undefined ? null : [...request.components],
      instance: request.instance ?? null,
      ...{ allowEmpty, code, fallback },
    };
    const job = await catalog
      .write(async (tx) => {
        const { id: backupId, environmentId } = backup;
        const repositoryId = await repositories.ensureFor(environment, tx);
        const newJob = { kind: 'backup' as const, environmentId, backupId, request: asked, createdBy };
        const queued = await jobs.enqueue(newJob, tx);
        const made = { ...backup, repositoryId, jobId: queued.id };
        if (!(await may(made, tx))) throw new NotDueError();
        await store.create(made, tx);
        return queued;
      })
      .catch(unlessNotDue);
    if (job === undefined) return undefined;
    jobs.wake();
    return { job, backupId: backup.id };
  }

  return {
    list: async ({ environment, limit, after, ...filter }) => {
      const { backups, next } = await store.list({
        environmentId: environment === undefined ? undefined : (await environments.find(environment)).id,
        ...filter,
        limit: limit ?? defaultPage,
        after: after === undefined ? undefined : parseCursor(after),
      });
      const expiries = await retention.expiries(backups.map(({ environmentId }) => environmentId));
      return {
        backups: backups.map((backup) => ({ ...backup, expiry: expiries.get(backup.id) ?? neverEnds })),
        next,
      };
    },

    get: async (idOrPrefix) => await describe(await find(idOrPrefix)),

    accept: async (idOrPrefix) => {
      const backup = await find(idOrPrefix);
      requireReady(backup);
      await catalog.write(async (tx) => await store.setDoubt(backup.id, null, tx));
      return await describe({ ...backup, doubt: null });
    },

    log: async (idOrPrefix, of) => {
      const backup = await find(idOrPrefix);
      const jobId = of === 'backup' ? backup.jobId : await lastRestoreOf(backup);
      return jobId === null ? [] : await jobs.log(jobId);
    },

    create: async (request, options = {}) => {
      const created = await create(request, 'manual', async () => true, options);
      if (created !== undefined) {
        return { ...created, replaces: await replacedBy(created.job.environmentId, request.components) };
      }
      throw new HoldfastError('internal', 'A backup that was asked for was not made.');
    },

    createAutomated: async ({ environmentId, component, begin }, options = {}) => {
      const request: CreateBackupRequest = {
        environment: environmentId,
        description: '',
        components: component === null ? undefined : [component],
        instance: undefined,
        retention: undefined,
        allowEmpty: false,
        code: true,
        mode: 'consistent',
        fallback: 'live',
        createdBy: 'schedule',
      };
      return await create(request, 'automated', begin, options);
    },

    restore: async (request) => {
      const { components, instance, safety, dryRun, createdBy } = request;
      const { code, createExternal, allowPrivileges, resources } = request;
      const backup = await find(request.backup);
      const paths = pathsToRestore(backup, request);
      const branch = await branchOf(request);
      const existing = branch === undefined ? await targetOf(backup, request.target) : undefined;
      const unfinished = existing?.unfinishedRestore ?? null;
      requireRestorePossible({
        backup,
        components,
        paths,
        unfinished: unfinished === null ? null : (await jobs.get(unfinished.jobId)).request,
      });
      const chosen = {
        components: components === undefined ? null : [...components],
        paths: paths ?? null,
        instance: instance ?? null,
      };
      const making = { code, createExternal, allowPrivileges, resources };
      const job = await catalog.write(async (tx) => {
        await requireUnused(backup, 'delete', { store, jobs, tx });
        const environment = branch === undefined ? existing : await environments.branch(branch, tx);
        if (environment === undefined) throw new HoldfastError('internal', 'The restore has no target.');
        return await jobs.enqueue(
          {
            kind: dryRun ? 'preview' : 'restore',
            environmentId: environment.id,
            backupId: backup.id,
            request: dryRun
              ? { kind: 'preview', ...chosen, ...making }
              : { kind: 'restore', ...chosen, safety, ...making, parentId: branch?.parent.id ?? null },
            createdBy,
          },
          tx,
        );
      });
      jobs.wake();
      return job;
    },

    download: async (idOrPrefix, request) => await downloadOf(await find(idOrPrefix), request, repositories),

    link: async (idOrPrefix, download, validForMs) => {
      const backup = await find(idOrPrefix);
      requireReady(backup);
      return links.make({ backupId: backup.id, download }, validForMs);
    },

    openLink: (link) => links.open(link),

    listFiles: async (idOrPrefix, request) =>
      await listFilesOf(await find(idOrPrefix), request, repositories),

    diff: async (older, newer, limit) =>
      await diffOf([await find(older), await find(newer)], limit, repositories),
  };
}

function commitIdOf({ parts }: Pick<BackupWithParts, 'parts'>): string | null {
  for (const { source } of parts) if (source.kind === 'code') return source.commitId;
  return null;
}

/** Takes back what the transaction has queued. */
class NotDueError extends Error {}

function unlessNotDue(error: unknown): undefined {
  if (!(error instanceof NotDueError)) throw error;
}
