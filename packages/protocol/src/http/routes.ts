import { backupRoutes } from './backup-routes.ts';
import { componentRoutes } from './component-routes.ts';
import { deletionRoutes } from './deletion-routes.ts';
import { environmentRoutes } from './environment-routes.ts';
import { importRoutes } from './import-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { nodeRoutes } from './node-routes.ts';
import { notificationRoutes } from './notification-routes.ts';
import { scheduleRoutes } from './schedule-routes.ts';
import { serverRoutes } from './server-routes.ts';
import { statusRoutes } from './status-routes.ts';
import { vaultRoutes } from './vault-routes.ts';

export const apiPrefix = '/api/v1';

/** The whole HTTP API, by operation. `/healthz` and `/metrics` are served both below the prefix and at the root. */
export const routes = {
  ...serverRoutes,
  ...statusRoutes,
  ...environmentRoutes,
  ...componentRoutes,
  ...deletionRoutes,
  ...backupRoutes,
  ...importRoutes,
  ...jobRoutes,
  ...nodeRoutes,
  ...vaultRoutes,
  ...notificationRoutes,
  ...scheduleRoutes,
} as const;

export type Routes = typeof routes;
export type RouteName = keyof Routes;
