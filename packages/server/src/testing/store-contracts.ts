import { describeAdoption } from './adoption-contract.ts';
import { describeBackupStore } from './backup-store-contract.ts';
import { describeCatalog } from './catalog-contract.ts';
import { describeDeletions } from './deletion-contract.ts';
import { describeEnvironmentStore } from './environment-store-contract.ts';
import { describeJobStores } from './job-stores-contract.ts';
import { describeLeaseStore } from './lease-store-contract.ts';
import { describeMaintenance } from './maintenance-contract.ts';
import { describeNotificationStores } from './notification-stores-contract.ts';
import { describeRebuild } from './rebuild-contract.ts';
import { describeSchedules } from './schedule-contract.ts';
import { describeSmallStores } from './small-stores-contract.ts';
import { describeStatusStore } from './status-store-contract.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

/** The one suite of the catalog and all stores, for every dialect. */
export function describeStores(makeDatabase: MakeTestDatabase): void {
  describeCatalog(makeDatabase);
  describeJobStores(makeDatabase);
  describeLeaseStore(makeDatabase);
  describeBackupStore(makeDatabase);
  describeEnvironmentStore(makeDatabase);
  describeSmallStores(makeDatabase);
  describeNotificationStores(makeDatabase);
  describeSchedules(makeDatabase);
  describeRebuild(makeDatabase);
  describeAdoption(makeDatabase);
  describeStatusStore(makeDatabase);
  describeMaintenance(makeDatabase);
  describeDeletions(makeDatabase);
}
