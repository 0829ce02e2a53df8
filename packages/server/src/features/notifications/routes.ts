import type { HandlersOf } from '../../http/handler.ts';
import type { NotificationService } from './service.ts';

export function notificationHandlers(
  service: NotificationService,
): HandlersOf<
  | 'notification.list'
  | 'notification.add'
  | 'notification.get'
  | 'notification.update'
  | 'notification.remove'
  | 'notification.test'
> {
  return {
    'notification.list': async () => ({ notifications: [...(await service.list())] }),
    'notification.add': async ({ body }) => await service.add(body),
    'notification.get': async ({ params }) => await service.get(params.notification),
    'notification.update': async ({ params, body }) => await service.update(params.notification, body),
    'notification.remove': async ({ params }) => {
      await service.remove(params.notification);
      return {};
    },
    'notification.test': async ({ params, signal }) => ({
      answer: await service.test(params.notification, { signal }),
    }),
  };
}
