import type { HandlersOf } from '../../http/handler.ts';
import { toJob } from '../jobs/job-record.ts';
import type { MaintenanceService } from './service.ts';

export function maintenanceHandlers(
  service: Pick<MaintenanceService, 'checkVault'>,
): HandlersOf<'vault.check'> {
  return {
    'vault.check': async ({ params, caller }) => ({
      jobs: (await service.checkVault(params.vault, caller.name)).map(toJob),
    }),
  };
}
