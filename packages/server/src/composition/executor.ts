import { join } from 'node:path';
import type { DockerEngine } from '@holdfast/docker';
import type { NodeId } from '@holdfast/protocol';
import type { Ids } from '../catalog/ids.ts';
import { createBackupHandler } from '../features/backups/capture/backup-handler.ts';
import { createCompareCompose } from '../features/backups/capture/compare-compose.ts';
import { catalogEndpoint } from '../features/backups/capture/needed-containers.ts';
import { createImportHandler } from '../features/backups/imports/import-handler.ts';
import { createDeleteHandler } from '../features/backups/removal/delete-handler.ts';
import { createReviseHandler } from '../features/backups/removal/revise-handler.ts';
import { createSafetyBackups } from '../features/backups/safety-backups.ts';
import type { EnvironmentService } from '../features/environments/service.ts';
import { allEndings } from '../features/jobs/execution/all-endings.ts';
import { createJobExecutor, type JobExecutor } from '../features/jobs/execution/job-executor.ts';
import { createTaskRuns } from '../features/jobs/execution/task-runs.ts';
import { createInspectAfterLoss } from '../features/maintenance/inspect-after-loss.ts';
import { createInspectHandler } from '../features/maintenance/inspect-handler.ts';
import { createPruneHandler } from '../features/maintenance/prune-handler.ts';
import type { MaintenanceQueue } from '../features/maintenance/queue.ts';
import type { NodeService } from '../features/nodes/service.ts';
import { type Notify, tellOfJobs } from '../features/notifications/tell-of-jobs.ts';
import { createAdoptHandler } from '../features/rebuild/adoption/adopt-handler.ts';
import type { RepositoryService } from '../features/repositories/service.ts';
import { createPreviewHandler } from '../features/restores/preview-handler.ts';
import { createRestoreHandler } from '../features/restores/restore-handler.ts';
import type { UploadService } from '../features/uploads/service.ts';
import type { VaultService } from '../features/vaults/service.ts';
import { createVaultOfJob } from '../features/vaults/vault-of-job.ts';
import { createLeftMovers } from '../runner/left-movers.ts';
import { runMoverContainer } from '../runner/mover-container.ts';
import { spawnMover } from '../runner/mover-process-program.ts';
import type { ServerPlace } from '../runner/server-place.ts';
import { createStartMover } from '../runner/start-mover.ts';
import type { ComposeOptions } from './compose-options.ts';
import type { Stores } from './stores.ts';
import { tasksFolder } from './tasks-folder.ts';

/** A job is lost to another server when it was not renewed for this long. */
const leaseTimes = { leaseMs: 30_000, renewMs: 5_000 };
/** Longest wait of a stop for a job that cannot be cut off. */
const stopLimitMs = 20_000;

export interface ExecutorOptions extends ComposeOptions {
  readonly notify: Notify;
  readonly stores: Stores;
  readonly environments: EnvironmentService;
  readonly repositories: RepositoryService;
  readonly uploads: UploadService;
  readonly serverPlace: ServerPlace;
  readonly nodes: NodeService;
  readonly vaults: VaultService;
  /** The node of the server's own engine. */
  readonly localNode: () => Promise<NodeId>;
  readonly queue: MaintenanceQueue;
  readonly ids: Ids;
}

/** What works on jobs: one handler for each kind of them. */
export function createExecutor(options: ExecutorOptions): JobExecutor {
  const { config, catalog, stores, environments, repositories, serverPlace, queue, ids, clock, logger } =
    options;
  const { backups, care, freezes, journals, leases, logs, removals, tasks } = stores;
  const taskRuns = createTaskRuns({
    tasks,
    ids,
    startMover: createStartMover({
      inProcess: serverPlace.isInContainer
        ? undefined
        : () => spawnMover({ node: process.execPath, main: options.moverMain }),
      inContainer: (task, mounts) => runMoverContainer({ place: serverPlace, task, mounts }),
    }),
    leftMovers: createLeftMovers({
      isInContainer: serverPlace.isInContainer,
      engines: async () =>
        serverPlace.isInContainer ? [await serverPlace.connect()] : await enginesThatAnswer(options.nodes),
    }),
    eventsFolder: tasksFolder(config),
  });
  const { holdLimitMs, codeLimits, concurrency } = config;
  return createJobExecutor({
    catalog,
    leases,
    logs,
    taskRuns,
    handlers: {
      backup: createBackupHandler({
        environments,
        repositories,
        backups,
        freezes,
        taskRuns,
        serverPlace,
        endpoints: catalogEndpoint(config.catalogUrl),
        holdLimitMs,
        codeLimits,
        compareCompose: createCompareCompose({ program: config.composeProgram, serverPlace }),
        clock,
      }),
      import: createImportHandler({
        environments,
        repositories,
        uploads: options.uploads,
        backups,
        taskRuns,
        sealer: options.sealer,
        settings: config.imports,
      }),
      adopt: createAdoptHandler({
        ...{ catalog, environments, taskRuns, ids },
        adoptions: stores.adoptions,
        store: stores.rebuild,
        vaults: options.vaults,
        sealer: options.sealer,
        localNode: options.localNode,
        cacheDirectory: join(config.dataDirectory, 'cache'),
      }),
      restore: createRestoreHandler({
        environments,
        repositories,
        findBackup: async (id) => await backups.get(id),
        safetyBackups: createSafetyBackups({
          catalog,
          store: backups,
          repositories,
          taskRuns,
          serverPlace,
          clock,
          ids,
          codeLimits,
        }),
        journals,
        taskRuns,
        serverPlace,
        clock,
      }),
      preview: createPreviewHandler({
        environments,
        repositories,
        findBackup: async (id) => await backups.get(id),
        taskRuns,
        serverPlace,
      }),
      delete: createDeleteHandler({
        catalog,
        backups,
        removals,
        repositories,
        taskRuns,
        onRemoved: async (id, isAsked, tx) => await queue.pruneLater(id, { isAsked }, tx),
      }),
      revise: createReviseHandler({ backups, repositories, taskRuns }),
      prune: createPruneHandler({ care, repositories, taskRuns }),
      inspect: createInspectHandler({
        ...{ catalog, care, repositories, taskRuns, vaults: options.vaults, notify: options.notify },
        damage: stores.damage,
        now: () => clock.now(),
      }),
    },
    endings: allEndings(
      createVaultOfJob({ store: stores.vaults, backups, repositories: stores.repositories }),
      tellOfJobs({ notify: options.notify, failedBefore: backups.failedBefore }),
      createInspectAfterLoss({ queue, backups }),
    ),
    place: options.serverId,
    instance: options.instance,
    concurrency,
    times: leaseTimes,
    stopLimitMs,
    clock,
    logger,
  });
}

async function enginesThatAnswer(nodes: NodeService): Promise<readonly DockerEngine[]> {
  return (await nodes.connectAll()).flatMap((node) => ('docker' in node ? [node.docker] : []));
}
