import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createIds } from '../catalog/ids.ts';
import { createDownloadLinks } from '../features/backups/download-links.ts';
import { createImportService } from '../features/backups/imports/import-service.ts';
import { importHandlers } from '../features/backups/imports/routes.ts';
import { createPinService } from '../features/backups/removal/pins.ts';
import { createRemovalService } from '../features/backups/removal/removal-service.ts';
import { removalHandlers } from '../features/backups/removal/routes.ts';
import { backupHandlers } from '../features/backups/routes.ts';
import { createBackupService } from '../features/backups/service.ts';
import { type CarryOutDeletions, createCarryOutDeletions } from '../features/deletions/carry-out.ts';
import { deletionHandlers } from '../features/deletions/routes.ts';
import { createDeletionService } from '../features/deletions/service.ts';
import { environmentHandlers } from '../features/environments/routes.ts';
import { createEnvironmentService } from '../features/environments/service.ts';
import type { JobExecutor } from '../features/jobs/execution/job-executor.ts';
import { jobHandlers } from '../features/jobs/routes.ts';
import { createJobService } from '../features/jobs/service.ts';
import { busyWith } from '../features/jobs/store.ts';
import { createMaintenanceQueue } from '../features/maintenance/queue.ts';
import { maintenanceHandlers } from '../features/maintenance/routes.ts';
import { createMaintenanceService, type MaintenanceService } from '../features/maintenance/service.ts';
import { nodeHandlers } from '../features/nodes/routes.ts';
import { createNodeService, localNodeName } from '../features/nodes/service.ts';
import { notificationHandlers } from '../features/notifications/routes.ts';
import { createSlotCalendar } from '../features/policies/slot-calendar.ts';
import { createAdoptionService } from '../features/rebuild/adoption/adoption-service.ts';
import { adoptionHandlers } from '../features/rebuild/adoption/routes.ts';
import { repositoryHandlers } from '../features/repositories/routes.ts';
import { createRepositoryService } from '../features/repositories/service.ts';
import { scheduleHandlers } from '../features/schedules/routes.ts';
import { createScheduler, type Scheduler } from '../features/schedules/scheduler.ts';
import { createScheduleService } from '../features/schedules/service.ts';
import { statusHandlers } from '../features/status/routes.ts';
import { createStatusService } from '../features/status/service.ts';
import { createStatusStore } from '../features/status/store.ts';
import { createTokenService, type TokenService } from '../features/tokens/service.ts';
import { uploadHandlers } from '../features/uploads/routes.ts';
import { createUploadService, type UploadService } from '../features/uploads/service.ts';
import { createVaultContents } from '../features/vaults/contents-store.ts';
import { createProbeVault } from '../features/vaults/probe-vault.ts';
import { vaultHandlers } from '../features/vaults/routes.ts';
import { openVaultService } from '../features/vaults/service.ts';
import { isBucket } from '../features/vaults/vault-location.ts';
import { createVaultWatch, type VaultWatch } from '../features/vaults/watch.ts';
import type { Handlers } from '../http/handler.ts';
import { serverHandlers } from '../http/server-handlers.ts';
import { spawnMover } from '../runner/mover-process-program.ts';
import { createServerPlace } from '../runner/server-place.ts';
import { createRecoveryKeys } from '../secrets/recovery-key.ts';
import type { ComposeOptions } from './compose-options.ts';
import { createExecutor } from './executor.ts';
import { createNotifications, type Notifications } from './notifications.ts';
import { createStores } from './stores.ts';
import { tasksFolder } from './tasks-folder.ts';

/** What is set is not followed then, and nothing goes by itself. */
const nothingRemoved = { expiries: async () => new Map(), replacedByManual: async () => [] };
const schedulesOff = { hasSchedule: false, nextRunAtMs: null, lastProblem: null };

export interface Composition {
  readonly handlers: Omit<Handlers, 'server.openapi'>;
  readonly tokens: TokenService;
  readonly executor: JobExecutor;
  readonly scheduler: Scheduler;
  readonly uploads: Pick<UploadService, 'removeOld'>;
  readonly notifications: Notifications;
  readonly maintenance: Pick<MaintenanceService, 'queueDue'>;
  readonly vaultWatch: VaultWatch;
  readonly carryOutDeletions: CarryOutDeletions;
}

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
    concurrency: config.concurrency,
    cacheDirectory: join(config.dataDirectory, 'cache'),
  });
  const uploads = createUploadService({
    folder: join(config.dataDirectory, 'uploads'),
    limitBytes: config.imports.limitBytes,
    clock,
    ids,
  });
  const notifications = createNotifications({ ...options, stores, environments, ids });
  const queue = createMaintenanceQueue({
    care: stores.care,
    jobs: stores.jobs,
    repositories: stores.repositories,
    clock,
  });
  const localNode = async () => (await stores.nodes.ensure(localNodeName, config.dockerHost)).id;
  const executor = createExecutor({
    ...options,
    ...{ vaults, localNode },
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
  const schedules = createScheduleService({
    store: stores.schedules,
    retention: stores.retention,
    environments,
    calendar: createSlotCalendar(),
    timezone: config.timezone,
    clock,
  });
  const backups = createBackupService({
    catalog,
    store: stores.backups,
    jobs,
    environments,
    nodes,
    repositories,
    retention: config.followsSchedules ? schedules : nothingRemoved,
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
  const adoptions = createAdoptionService({
    ...{ catalog, jobs, vaults, localNode },
    store: stores.adoptions,
    repositories: stores.rebuild,
    sealer: options.sealer,
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
    everyMs: options.schedulesEveryMs,
  });
  const vaultWatch = createVaultWatch({
    ...{ catalog, vaults, store: stores.vaults, notify: notifications.told.notify },
    now: () => clock.now(),
    logger: options.logger,
  });
  const { logger } = options;
  const deletions = createDeletionService({
    ...{ catalog, environments, jobs, clock, logger },
    store: stores.deletions,
  });
  const carryOutDeletions = createCarryOutDeletions({
    ...{ catalog, environments, removals, clock, logger },
    store: stores.deletions,
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
    ...deletionHandlers(deletions),
    ...backupHandlers(backups, options.dataProcess),
    ...removalHandlers(removals, pins),
    ...maintenanceHandlers(maintenance),
    ...importHandlers(imports),
    ...uploadHandlers(uploads),
    ...jobHandlers(jobs, environments),
    ...vaultHandlers(vaults, options.logger),
    ...adoptionHandlers(adoptions),
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
    vaultWatch,
    carryOutDeletions,
    notifications: notifications.told,
  };
}
