import type { HandlersOf } from '../../../http/handler.ts';
import { toJob } from '../../jobs/job-record.ts';
import type { PinService } from './pins.ts';
import type { RemovalService } from './removal-service.ts';

type RemovalRoutes = 'backup.delete' | 'backup.deleteSeveral' | 'backup.pin' | 'backup.unpin';

export function removalHandlers(
  removals: Pick<RemovalService, 'delete'>,
  pins: PinService,
): HandlersOf<RemovalRoutes> {
  return {
    'backup.delete': async ({ params, caller }) => ({
      job: toJob(await removals.delete([params.backup], caller.name)),
    }),
    'backup.deleteSeveral': async ({ body, caller }) => ({
      job: toJob(await removals.delete(body.backups, caller.name)),
    }),
    'backup.pin': async ({ params, body, caller }) => ({
      job: toJob(await pins.set(params.backup, body.reason, caller.name)),
    }),
    'backup.unpin': async ({ params, caller }) => ({
      job: toJob(await pins.set(params.backup, null, caller.name)),
    }),
  };
}
