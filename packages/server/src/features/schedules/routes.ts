import type { HandlersOf } from '../../http/handler.ts';
import type { ScheduleService } from './service.ts';

type ScheduleRoute =
  | 'project.settings'
  | 'project.change'
  | 'schedule.get'
  | 'schedule.set'
  | 'policy.explain';

const defaultDays = 31;

export function scheduleHandlers(service: ScheduleService): HandlersOf<ScheduleRoute> {
  return {
    'project.settings': async ({ params }) => await service.settings(params.project),
    'project.change': async ({ params, body }) => await service.changeSettings(params.project, body),
    'schedule.get': async ({ params }) => await service.get(params.environment),
    'schedule.set': async ({ params, body }) => await service.set(params.environment, body.backup_policy),
    'policy.explain': async ({ params, query }) =>
      await service.explain(params.environment, query.days ?? defaultDays),
  };
}
