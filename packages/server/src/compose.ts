import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@holdfast/base';
import type { DockerEngine } from '@holdfast/docker';
import type { Catalog } from './catalog/catalog.ts';
import { createIds, type Ids } from './catalog/ids.ts';
import type { Config } from './config/load-config.ts';
import type { Logger } from './config/logger.ts';
import { createBackupHandler } from './features/backups/capture/backup-handler.ts';
import { createCompareCompose } from './features/backups/capture/compare-compose.ts';
import { catalogEndpoint } from './features/backups/capture/needed-containers.ts';
import { createDamageStore } from './features/backups/damage-store.ts';
import { createDownloadLinks } from './features/backups/download-links.ts';
import { createImportHandler } from './features/backups/imports/import-handler.ts';
import { createImportService } from './features/backups/imports/import-service.ts';
import { importHandlers } from './features/backups/imports/routes.ts';
import { createDeleteHandler } from './features/backups/removal/delete-handler.ts';
import { createPinService } from './features/backups/removal/pins.ts';
import { createRemovalService } from './features/backups/removal/removal-service.ts';
import { createRemovalStore } from './features/backups/removal/removal-store.ts';
import { createReviseHandler } from './features/backups/removal/revise-handler.ts';
import { removalHandlers } from './features/backups/removal/routes.ts';
import { backupHandlers } from './features/backups/routes.ts';
import { createSafetyBackups } from './features/backups/safety-backups.ts';
import { createBackupService } from './features/backups/service.ts';
import { createBackupStore } from './features/backups/store.ts';
import { createComponentSettingStore } from './features/environments/commands/setting-store.ts';
import { environmentHandlers } from './features/environments/routes.ts';
import { createEnvironmentService, type EnvironmentService } from './features/environments/service.ts';
import { createEnvironmentStore } from './features/environments/store.ts';
import { allEndings } from './features/jobs/execution/all-endings.ts';
import { createJobExecutor, type JobExecutor } from './features/jobs/execution/job-executor.ts';
import { createTaskRuns } from './features/jobs/execution/task-runs.ts';
import { createFreezeStore } from './features/jobs/freeze-store.ts';
import { createJournalStore } from './features/jobs/journal-store.ts';
import { createLeaseStore } from './features/jobs/lease-store.ts';
import { createLogStore } from './features/jobs/log-store.ts';
import { jobHandlers } from './features/jobs/routes.ts';
import { createJobService } from './features/jobs/service.ts';
import { busyWith, createJobStore } from './features/jobs/store.ts';
import { createTaskStore } from './features/jobs/task-store.ts';
import { createInspectAfterLoss } from './features/maintenance/inspect-after-loss.ts';
import { createInspectHandler } from './features/maintenance/inspect-handler.ts';
import { createPruneHandler } from './features/maintenance/prune-handler.ts';
import { createMaintenanceQueue, type MaintenanceQueue } from './features/maintenance/queue.ts';
import { maintenanceHandlers } from './features/maintenance/routes.ts';
import { createMaintenanceService, type MaintenanceService } from './features/maintenance/service.ts';
import { createCareStore } from './features/maintenance/store.ts';
import { nodeHandlers } from './features/nodes/routes.ts';
import { createNodeService, type NodeService } from './features/nodes/service.ts';
import { createNodeStore } from './features/nodes/store.ts';
import { createDeliveryLoop, type DeliveryLoop } from './features/notifications/delivery-loop.ts';
import { createDeliveryStore } from './features/notifications/delivery-store.ts';
import { notificationHandlers } from './features/notifications/routes.ts';
import { openSettings } from './features/notifications/sealed-settings.ts';
import { createSendMessage } from './features/notifications/send-message.ts';
import { createNotificationService, type NotificationService } from './features/notifications/service.ts';
import { createNotificationStore } from './features/notifications/store.ts';
import { type Notify, tellOfJobs } from './features/notifications/tell-of-jobs.ts';
import { createSlotCalendar } from './features/policies/slot-calendar.ts';
import { repositoryHandlers } from './features/repositories/routes.ts';
import { createRepositoryService, type RepositoryService } from './features/repositories/service.ts';
import { createRepositoryStore } from './features/repositories/store.ts';
import { createPreviewHandler } from './features/restores/preview-handler.ts';
import { createRestoreHandler } from './features/restores/restore-handler.ts';
import { createRetentionStore } from './features/schedules/retention-store.ts';
import { scheduleHandlers } from './features/schedules/routes.ts';
import { createScheduler, type Scheduler } from './features/schedules/scheduler.ts';
import { createScheduleService } from './features/schedules/service.ts';
import { createScheduleStore } from './features/schedules/store.ts';
import { statusHandlers } from './features/status/routes.ts';
import { createStatusService } from './features/status/service.ts';
import { createStatusStore } from './features/status/store.ts';
import { createTokenService, type TokenService } from './features/tokens/service.ts';
import { createTokenStore } from './features/tokens/store.ts';
import { uploadHandlers } from './features/uploads/routes.ts';
import { createUploadService, type UploadService } from './features/uploads/service.ts';
import { createVaultContents } from './features/vaults/contents-store.ts';
import { createProbeVault } from './features/vaults/probe-vault.ts';
import { vaultHandlers } from './features/vaults/routes.ts';
import { openVaultService } from './features/vaults/service.ts';
import { createVaultStore } from './features/vaults/store.ts';
import { isBucket } from './features/vaults/vault-location.ts';
import { createVaultOfJob } from './features/vaults/vault-of-job.ts';
import type { Handlers } from './http/handler.ts';
import { serverHandlers } from './http/server-handlers.ts';
import type { DataProcess } from './runner/data-process.ts';
import { createLeftMovers } from './runner/left-movers.ts';
import { runMoverContainer } from './runner/mover-container.ts';
import { spawnMover } from './runner/mover-process-program.ts';
import { createServerPlace, type ServerPlace } from './runner/server-place.ts';
import { createStartMover } from './runner/start-mover.ts';
import { createRecoveryKeys } from './secrets/recovery-key.ts';
import type { Sealer } from './secrets/sealer.ts';

/** A job is lost to another server when it was not renewed for this long. */
const leaseTimes = { leaseMs: 30_000, renewMs: 5_000 };
/** What is set is not followed then. */
const schedulesOff = { hasSchedule: false, nextRunAtMs: null, lastProblem: null };
/** Longest wait of a stop for a job that cannot be cut off. */
const stopLimitMs = 20_000;

export interface ComposeOptions {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  /** Names the data directory among those whose servers share the catalog. */
  readonly serverId: string;
  /** Names this process among those that ever used the data directory. */
  readonly instance: string;
  readonly dataProcess: DataProcess;
  /** Absolute path of the mover's program. */
  readonly moverMain: string;
}

export interface Composition {
  readonly handlers: Omit<Handlers, 'server.openapi'>;
  readonly tokens: TokenService;
  readonly executor: JobExecutor;
  readonly scheduler: Scheduler;
  readonly uploads: Pick<UploadService, 'removeOld'>;
  readonly notifications: Notifications;
  readonly maintenance: Pick<MaintenanceService, 'queueDue'>;
}

/** Tells events to others, and delivers what is to be told. */
export type Notifications = Pick<NotificationService, 'notify'> & DeliveryLoop;

/** The one place where everything is put together. Makes the default vault's row and recovery key at first. */
export async function compose(options: ComposeOptions): Promise<Composition> {
  const { config, catalog, clock, version } = options;
  const ids = createIds();
  const stores = createStores(catalog, clock, ids);
  const nodes = createNodeService({
    catalog,
    store: stores.nodes,
    dockerHost: config.dockerHost,
    requireIdle: async (id, tx) => {
      const job = await stores.jobs.unfinishedOn(id, tx);
      if (job !== undefined) throw busyWith(job);
    },
    onRemoved: async (id) => await stores.environments.sync(id, []),
  });
  const serverPlace = createServerPlace({
    connect: async () => (await nodes.connectLocal()).docker,
    image: config.image,
    version,
    folder: config.dataDirectory,
  });
  const probes = join(tasksFolder(config), 'vaults');
  // Of a server that was cut off.
  await rm(probes, { recursive: true, force: true });
  const vaults = await openVaultService({
    catalog,
    store: stores.vaults,
    contents: createVaultContents(catalog),
    recoveryKeys: createRecoveryKeys(config.dataDirectory),
    sealer: options.sealer,
    ids,
    probe: createProbeVault({
      ids,
      spawnMover: () => spawnMover({ node: process.execPath, main: options.moverMain }),
      folder: probes,
    }),
    directory: config.vaultDirectory,
    dataDirectory: config.dataDirectory,
    requireLasting: serverPlace.requireLasting,
  });
  const environments = createEnvironmentService({
    store: stores.environments,
    settings: stores.componentSettings,
    nodes,
    serverPlace,
    ownPaths: async () => [
      { path: config.dataDirectory, what: "Holdfast's own data" },
      ...(await stores.vaults.list())
        .filter(({ location }) => !isBucket(location))
        .map(({ location }) => ({ path: location, what: "Holdfast's vault" })),
    ],
  });
  const repositories = createRepositoryService({
    store: stores.repositories,
    vaults,
    sealer: options.sealer,
    ids,
    cacheDirectory: join(config.dataDirectory, 'cache'),
  });
  const uploads = createUploadService({
    folder: join(config.dataDirectory, 'uploads'),
    limitBytes: config.imports.limitBytes,
    clock,
    ids,
  });
  const notifications = composeNotifications({ ...options, stores, environments, ids });
  const queue = createMaintenanceQueue({
    care: stores.care,
    jobs: stores.jobs,
    repositories: stores.repositories,
    clock,
  });
  const executor = composeExecutor({
    ...options,
    notify: notifications.told.notify,
    uploads,
    stores,
    environments,
    repositories,
    serverPlace,
    nodes,
    queue,
    ids,
  });
  const jobs = createJobService({
    catalog,
    store: stores.jobs,
    logs: stores.logs,
    onCancelledInQueue: async ({ kind, backupId }, tx) => {
      const makesBackup = kind === 'backup' || kind === 'import';
      if (makesBackup && backupId !== null) await stores.backups.markCancelled(backupId, tx);
    },
    onWake: () => executor.wake(),
  });
  const backups = createBackupService({
    catalog,
    store: stores.backups,
    jobs,
    environments,
    nodes,
    repositories,
    links: createDownloadLinks(options.sealer, clock),
    clock,
    ids,
  });
  const imports = createImportService({
    catalog,
    store: stores.backups,
    jobs,
    environments,
    repositories,
    uploads,
    sealer: options.sealer,
    clock,
    ids,
  });
  const schedules = createScheduleService({
    store: stores.schedules,
    retention: stores.retention,
    environments,
    calendar: createSlotCalendar(),
    timezone: config.timezone,
    clock,
  });
  const status = createStatusService({
    ...{ environments, nodes, vaults, jobs, clock },
    store: createStatusStore(catalog),
    notifications: notifications.service,
    scheduleFacts: async (id) => (config.followsSchedules ? await schedules.facts(id) : schedulesOff),
    ping: catalog.ping,
  });
  const removals = createRemovalService({ catalog, store: stores.backups, jobs, environments });
  const scheduler = createScheduler({
    ...{ environments, schedules, backups, removals, clock },
    notify: notifications.told.notify,
    logger: options.logger,
  });
  const pins = createPinService({ catalog, store: stores.backups, jobs });
  const maintenance = createMaintenanceService({
    catalog,
    care: stores.care,
    queue,
    jobs,
    vaults,
    now: () => clock.now(),
  });
  const handlers = {
    ...serverHandlers(version, catalog.ping),
    ...environmentHandlers(environments),
    ...backupHandlers(backups, options.dataProcess),
    ...removalHandlers(removals, pins),
    ...maintenanceHandlers(maintenance),
    ...importHandlers(imports),
    ...uploadHandlers(uploads),
    ...jobHandlers(jobs, environments),
    ...vaultHandlers(vaults, options.logger),
    ...repositoryHandlers(repositories, environments),
    ...nodeHandlers(nodes),
    ...scheduleHandlers(schedules),
    ...notificationHandlers(notifications.service),
    ...statusHandlers(status, version),
  };
  const tokens = createTokenService(stores.tokens);
  return {
    handlers,
    tokens,
    executor,
    scheduler,
    uploads,
    maintenance,
    notifications: notifications.told,
  };
}

type Stores = ReturnType<typeof createStores>;

function createStores(catalog: Catalog, clock: Clock, ids: Ids) {
  return {
    backups: createBackupStore({ catalog, clock }),
    care: createCareStore(catalog, clock),
    damage: createDamageStore(catalog),
    componentSettings: createComponentSettingStore(catalog, clock),
    deliveries: createDeliveryStore({ catalog, clock, ids }),
    environments: createEnvironmentStore({ catalog, clock, ids }),
    freezes: createFreezeStore(catalog, clock),
    jobs: createJobStore({ catalog, clock, ids }),
    journals: createJournalStore(catalog),
    leases: createLeaseStore({ catalog, clock }),
    logs: createLogStore(catalog),
    nodes: createNodeStore({ catalog, clock, ids }),
    notifications: createNotificationStore(catalog, clock),
    removals: createRemovalStore(catalog),
    repositories: createRepositoryStore(catalog, clock),
    retention: createRetentionStore(catalog),
    schedules: createScheduleStore(catalog, clock),
    tasks: createTaskStore(catalog, clock),
    tokens: createTokenStore({ catalog, clock, ids }),
    vaults: createVaultStore(catalog, clock),
  };
}

interface ComposeExecutorOptions extends ComposeOptions {
  readonly notify: Notify;
  readonly stores: Stores;
  readonly environments: EnvironmentService;
  readonly repositories: RepositoryService;
  readonly uploads: UploadService;
  readonly serverPlace: ServerPlace;
  readonly nodes: NodeService;
  readonly queue: MaintenanceQueue;
  readonly ids: Ids;
}

/** What works on jobs: one handler for each kind of them. */
function composeExecutor(options: ComposeExecutorOptions): JobExecutor {
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
      inspect: createInspectHandler({ catalog, damage: stores.damage, care, repositories, taskRuns }),
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

interface ComposeNotificationsOptions extends ComposeOptions {
  readonly stores: Stores;
  readonly environments: EnvironmentService;
  readonly ids: Ids;
}

function composeNotifications({ stores, environments, ids, ...options }: ComposeNotificationsOptions): {
  readonly service: NotificationService;
  readonly told: Notifications;
} {
  const { catalog, sealer, clock, logger, version } = options;
  const { notifications: store, deliveries } = stores;
  const send = createSendMessage({ clock, version });
  const loop = createDeliveryLoop({
    ...{ catalog, deliveries, send, clock, logger },
    notifications: store,
    open: (notification) => openSettings(sealer, notification),
  });
  const service = createNotificationService({
    ...{ store, deliveries, environments, sealer, send, ids, clock, logger },
    onQueued: () => loop.wake(),
  });
  const told: Notifications = {
    notify: service.notify,
    start: () => loop.start(),
    wake: () => loop.wake(),
    stop: async () => await loop.stop(),
  };
  return { service, told };
}

async function enginesThatAnswer(nodes: NodeService): Promise<readonly DockerEngine[]> {
  return (await nodes.connectAll()).flatMap((node) => ('docker' in node ? [node.docker] : []));
}

/** Where movers write their events: how a server that comes back learns what they did. */
export function tasksFolder({ dataDirectory }: Config): string {
  return join(dataDirectory, 'tasks');
}
