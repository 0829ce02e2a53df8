import type { Ids } from '../catalog/ids.ts';
import type { EnvironmentService } from '../features/environments/service.ts';
import { createDeliveryLoop, type DeliveryLoop } from '../features/notifications/delivery-loop.ts';
import { openSettings } from '../features/notifications/sealed-settings.ts';
import { createSendMessage } from '../features/notifications/send-message.ts';
import { createNotificationService, type NotificationService } from '../features/notifications/service.ts';
import type { ComposeOptions } from './compose-options.ts';
import type { Stores } from './stores.ts';

/** Tells events to others, and delivers what is to be told. */
export type Notifications = Pick<NotificationService, 'notify'> & DeliveryLoop;

export interface NotificationsOptions extends ComposeOptions {
  readonly stores: Stores;
  readonly environments: EnvironmentService;
  readonly ids: Ids;
}

export function createNotifications({ stores, environments, ids, ...options }: NotificationsOptions): {
  readonly service: NotificationService;
  readonly told: Notifications;
} {
  const { catalog, sealer, clock, logger, version } = options;
  const { notifications: store, deliveries } = stores;
  const send = createSendMessage({ clock, version });
  const loop = createDeliveryLoop({
    ...{ catalog, deliveries, send, clock, logger },
    notifications: store,
    open: (notification) => openSettings(sealer, notification),
  });
  const service = createNotificationService({
    ...{ store, deliveries, environments, sealer, send, ids, clock, logger },
    onQueued: () => loop.wake(),
  });
  const told: Notifications = {
    notify: service.notify,
    start: () => loop.start(),
    wake: () => loop.wake(),
    stop: async () => await loop.stop(),
  };
  return { service, told };
}
