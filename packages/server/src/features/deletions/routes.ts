import type { HandlersOf } from '../../http/handler.ts';
import type { DeletionService } from './service.ts';

type DeletionRoutes =
  | 'environment.deletion'
  | 'environment.delete'
  | 'environment.undelete'
  | 'component.deletion'
  | 'component.delete'
  | 'component.undelete';

export function deletionHandlers(service: DeletionService): HandlersOf<DeletionRoutes> {
  return {
    'environment.deletion': async ({ params, signal }) => await service.plan(params, { signal }),
    'environment.delete': async ({ params, query, caller, signal }) =>
      await service.delete(
        { ...params, keepPinned: query.keepPinned === 'true', deletedBy: caller.name },
        { signal },
      ),
    'environment.undelete': async ({ params, signal }) => await service.undelete(params, { signal }),
    'component.deletion': async ({ params, signal }) => await service.plan(params, { signal }),
    'component.delete': async ({ params, query, caller, signal }) =>
      await service.delete(
        { ...params, keepPinned: query.keepPinned === 'true', deletedBy: caller.name },
        { signal },
      ),
    'component.undelete': async ({ params, signal }) => await service.undelete(params, { signal }),
  };
}
