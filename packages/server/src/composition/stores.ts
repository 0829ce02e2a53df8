import type { Clock } from '@holdfast/base';
import type { Catalog } from '../catalog/catalog.ts';
import type { Ids } from '../catalog/ids.ts';
import { createDamageStore } from '../features/backups/damage-store.ts';
import { createRemovalStore } from '../features/backups/removal/removal-store.ts';
import { createBackupStore } from '../features/backups/store.ts';
import { createDeletionStore } from '../features/deletions/store.ts';
import { createComponentSettingStore } from '../features/environments/commands/setting-store.ts';
import { createEnvironmentStore } from '../features/environments/store.ts';
import { createFreezeStore } from '../features/jobs/freeze-store.ts';
import { createJournalStore } from '../features/jobs/journal-store.ts';
import { createLeaseStore } from '../features/jobs/lease-store.ts';
import { createLogStore } from '../features/jobs/log-store.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { createTaskStore } from '../features/jobs/task-store.ts';
import { createCareStore } from '../features/maintenance/store.ts';
import { createNodeStore } from '../features/nodes/store.ts';
import { createDeliveryStore } from '../features/notifications/delivery-store.ts';
import { createNotificationStore } from '../features/notifications/store.ts';
import { createAdoptionStore } from '../features/rebuild/adoption/adoption-store.ts';
import { createRebuildStore } from '../features/rebuild/store.ts';
import { createRepositoryStore } from '../features/repositories/store.ts';
import { createRetentionStore } from '../features/schedules/retention-store.ts';
import { createScheduleStore } from '../features/schedules/store.ts';
import { createTokenStore } from '../features/tokens/store.ts';
import { createVaultStore } from '../features/vaults/store.ts';

export type Stores = ReturnType<typeof createStores>;

export function createStores(catalog: Catalog, clock: Clock, ids: Ids) {
  return {
    adoptions: createAdoptionStore({ catalog, clock, ids }),
    backups: createBackupStore({ catalog, clock }),
    care: createCareStore(catalog, clock),
    damage: createDamageStore(catalog),
    componentSettings: createComponentSettingStore(catalog, clock),
    deletions: createDeletionStore(catalog, clock),
    deliveries: createDeliveryStore({ catalog, clock, ids }),
    environments: createEnvironmentStore({ catalog, clock, ids }),
    freezes: createFreezeStore(catalog, clock),
    jobs: createJobStore({ catalog, clock, ids }),
    journals: createJournalStore(catalog),
    leases: createLeaseStore({ catalog, clock }),
    logs: createLogStore(catalog),
    nodes: createNodeStore({ catalog, clock, ids }),
    notifications: createNotificationStore(catalog, clock),
    rebuild: createRebuildStore({ catalog, clock, ids }),
    removals: createRemovalStore(catalog),
    repositories: createRepositoryStore(catalog, clock),
    retention: createRetentionStore(catalog),
    schedules: createScheduleStore(catalog, clock),
    tasks: createTaskStore(catalog, clock),
    tokens: createTokenStore({ catalog, clock, ids }),
    vaults: createVaultStore(catalog, clock),
  };
}
