import { randomBytes } from 'node:crypto';
import { type Abortable, type Clock, HoldfastError, isHoldfastError, toHoldfastError } from '@holdfast/base';
import type {
  EnvironmentId,
  Notification,
  NotificationEventName,
  NotificationSettings,
  NotificationSettingsChange,
} from '@holdfast/protocol';
import type { Tx } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import type { Logger } from '../../config/logger.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import type { EnvironmentService } from '../environments/service.ts';
import type { DeliveryCounts, DeliveryStore } from './delivery-store.ts';
import { eventKey, type QueuedEvent } from './notification-event.ts';
import { messageOf } from './notification-message.ts';
import {
  changeSettings,
  completeSettings,
  defaultEvents,
  requireEvents,
  type Settings,
  shownSettings,
} from './notification-settings.ts';
import { openSettings, sealSettings } from './sealed-settings.ts';
import type { SendMessage } from './send-message.ts';
import type { NotificationRecord, NotificationStore } from './store.ts';

export interface NewNotificationRequest {
  readonly name: string;
  readonly events?: readonly NotificationEventName[] | undefined;
  /** Ids or names. */
  readonly environments?: readonly string[] | null | undefined;
  readonly allowPrivate?: boolean | undefined;
  readonly settings: NotificationSettings;
}

export interface NotificationChangeRequest {
  readonly name?: string | undefined;
  readonly events?: readonly NotificationEventName[] | null | undefined;
  readonly environments?: readonly string[] | null | undefined;
  readonly allowPrivate?: boolean | undefined;
  readonly settings?: NotificationSettingsChange | undefined;
}

/** Tells events to others. What is secret in a notification comes out of no method of this. */
export interface NotificationService {
  list(): Promise<readonly Notification[]>;
  /** @throws HoldfastError `notification-unknown` */
  get(idOrName: string): Promise<Notification>;
  /**
   * Answers a webhook's secret too, where it was made here.
   * @throws HoldfastError `notification-exists`, `usage-invalid`, `environment-unknown`, `environment-ambiguous`
   */
  add(request: NewNotificationRequest): Promise<{
    readonly notification: Notification;
    readonly secret: string | null;
  }>;
  /** What is still to be delivered goes by the new settings. @throws HoldfastError as `get` and `add` */
  update(idOrName: string, change: NotificationChangeRequest): Promise<Notification>;
  /** @throws HoldfastError `notification-unknown` */
  remove(idOrName: string): Promise<void>;
  /**
   * Delivers a test message, once, and waits for it; answers with what the other side said.
   * @throws HoldfastError `notification-unknown`, `notification-failed`, `url-refused`
   */
  test(idOrName: string, options?: Abortable): Promise<string>;
  /**
   * Queues a message for everybody who wants this event, unless it was queued before. With a transaction, it counts
   * as that does, and only a catalog that fails makes this fail; without, nothing does: it is logged.
   */
  notify(event: QueuedEvent, tx?: Tx): Promise<void>;
}

export interface NotificationServiceOptions {
  readonly store: NotificationStore;
  readonly deliveries: DeliveryStore;
  readonly environments: Pick<EnvironmentService, 'find' | 'get'>;
  readonly sealer: Sealer;
  readonly send: SendMessage;
  readonly ids: Pick<Ids, 'notification' | 'delivery'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** There may be something to deliver. */
  readonly onQueued: () => void;
}

export function createNotificationService(options: NotificationServiceOptions): NotificationService {
  const { store, deliveries, environments, sealer, send, ids, clock, logger, onQueued } = options;

  async function find(idOrName: string): Promise<NotificationRecord> {
    const all = await store.list();
    const found = all.find(({ id, name }) => id === idOrName || name === idOrName);
    if (found === undefined) throw unknown(idOrName, all);
    return found;
  }

  async function present(record: NotificationRecord, counts?: DeliveryCounts): Promise<Notification> {
    const { id, name, allowPrivate, settings, lastDeliveredAtMs, lastError, createdAtMs } = record;
    const { queued, failed } = counts ?? (await deliveries.counts()).get(id) ?? { queued: 0, failed: 0 };
    const ofOnes =
      record.environments === null
        ? null
        : await Promise.all(
            record.environments.map(async (each) => ({
              id: each,
              name: (await environments.get(each))?.name ?? each,
            })),
          );
    const events = [...wantedEvents(record)];
    const state = { queued, failed, lastDeliveredAtMs, lastError, createdAtMs };
    return { id, name, events, environments: ofOnes, allowPrivate, settings, ...state };
  }

  async function idsOf(given: readonly string[] | null): Promise<readonly EnvironmentId[] | null> {
    if (given === null) return null;
    const found = await Promise.all(given.map(async (each) => (await environments.find(each)).id));
    return [...new Set(found)];
  }

  return {
    list: async () => {
      const counts = await deliveries.counts();
      const none = { queued: 0, failed: 0 };
      return await Promise.all(
        (await store.list()).map(async (record) => await present(record, counts.get(record.id) ?? none)),
      );
    },

    get: async (idOrName) => await present(await find(idOrName)),

    add: async ({ name, events, environments: wanted = null, allowPrivate = false, settings: given }) => {
      if (events !== undefined) requireEvents(given.kind, events);
      const settings = completeSettings(given, newSecret);
      const id = ids.notification();
      const record = await store.add({
        ...{ id, name, allowPrivate },
        events: events ?? null,
        environments: await idsOf(wanted),
        settings: shownSettings(settings),
        sealedSettings: sealSettings(sealer, id, settings),
      });
      const isMadeHere = given.kind === 'webhook' && given.secret === undefined;
      const secret = isMadeHere && settings.kind === 'webhook' ? settings.secret : null;
      return { notification: await present(record), secret };
    },

    update: async (idOrName, change) => {
      const record = await find(idOrName);
      const { id } = record;
      if (change.events) requireEvents(record.settings.kind, change.events);
      const changed =
        change.settings === undefined
          ? undefined
          : changeSettings(openSettings(sealer, record), change.settings);
      const updated = await store.update(id, {
        name: change.name ?? record.name,
        allowPrivate: change.allowPrivate ?? record.allowPrivate,
        events: change.events === undefined ? record.events : change.events,
        environments:
          change.environments === undefined ? record.environments : await idsOf(change.environments),
        settings: changed === undefined ? record.settings : shownSettings(changed),
        sealedSettings: changed === undefined ? record.sealedSettings : sealSettings(sealer, id, changed),
      });
      if (updated === undefined) throw unknown(idOrName, []);
      return await present(updated);
    },

    remove: async (idOrName) => await store.remove((await find(idOrName)).id),

    test: async (idOrName, { signal } = {}) => {
      const record = await find(idOrName);
      const { id, name, allowPrivate } = record;
      const message = messageOf({ event: 'test', notification: { id, name } }, clock.now());
      const settings: Settings = openSettings(sealer, record);
      const outgoing = { id: ids.delivery(), message };
      try {
        const answer = await send(outgoing, { settings, allowPrivate }, { signal });
        await store.noteOutcome(id, null);
        return answer;
      } catch (error) {
        const failure = toHoldfastError(error);
        if (failure.code !== 'interrupted') {
          await store.noteOutcome(id, { atMs: clock.now(), message: failure.message });
        }
        throw failure;
      }
    },

    notify: async (event, tx) => {
      try {
        const wanting = (await store.list(tx)).filter((record) => wants(record, event));
        const message = messageOf(event, clock.now());
        await deliveries.queue(
          wanting.map(({ id }) => id),
          eventKey(event),
          message,
          tx,
        );
      } catch (error) {
        // In a transaction that failed nothing counts any more: its owner has to know.
        if (tx !== undefined && !isHoldfastError(error, 'catalog-damaged')) throw error;
        const report = toHoldfastError(error).toReport();
        logger.error('An event could not be queued to be told.', { event: event.event, error: report });
        return;
      }
      if (tx === undefined) onQueued();
    },
  };
}

function wantedEvents({ events, settings }: NotificationRecord): readonly NotificationEventName[] {
  return events ?? defaultEvents(settings.kind);
}

/** What is of no environment concerns all of them. */
function wants(record: NotificationRecord, event: QueuedEvent): boolean {
  if (!wantedEvents(record).includes(event.event)) return false;
  if (record.environments === null || !('environment' in event)) return true;
  return record.environments.includes(event.environment.id);
}

/** 256 random bits. */
function newSecret(): string {
  return `whs_${randomBytes(32).toString('base64url')}`;
}

function unknown(idOrName: string, known: readonly NotificationRecord[]): HoldfastError {
  const names = known.map(({ name }) => name).join(', ');
  return new HoldfastError('notification-unknown', `There is no notification ${idOrName}.`, {
    hint: names === '' ? 'There is none: holdfast notification:add makes one.' : `Known: ${names}.`,
  });
}
