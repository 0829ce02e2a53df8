import type { HandlersOf } from '../../http/handler.ts';
import { createMetrics } from './metrics.ts';
import type { StatusService } from './service.ts';

export function statusHandlers(
  service: StatusService,
  version: string,
): HandlersOf<'status.get' | 'server.metrics'> {
  const metrics = createMetrics({ read: service.readMetrics, version });
  return {
    'status.get': async ({ caller, signal }) => await service.read(caller.rights, { signal }),
    'server.metrics': async () => await metrics(),
  };
}
