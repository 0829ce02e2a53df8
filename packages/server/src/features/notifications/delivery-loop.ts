import { type Clock, HoldfastError, sleep, toHoldfastError } from '@holdfast/base';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Logger } from '../../config/logger.ts';
import type { DeliveryStore, TakenDelivery } from './delivery-store.ts';
import { isPing, type Settings } from './notification-settings.ts';
import type { SendMessage } from './send-message.ts';
import type { NotificationRecord, NotificationStore } from './store.ts';

/**
 * Delivers what is queued: one message of a notification after the other, several notifications side by side.
 *
 * A row is taken by lease, tried, and then delivered, failed for good, or due again after a while. A server that dies
 * within an attempt leaves a row that is due once its lease has run out: whether the message had come no one can tell,
 * so it is sent again, under the same id.
 */
export interface DeliveryLoop {
  start(): void;
  /** There is a new message: looks now instead of soon. */
  wake(): void;
  /** Takes no more, and waits for what is under way: 2 s at most, all in all. What is cut off is due at once. */
  stop(): Promise<void>;
}

export interface DeliveryLoopOptions {
  readonly catalog: Catalog;
  readonly deliveries: DeliveryStore;
  readonly notifications: Pick<NotificationStore, 'get' | 'noteOutcome'>;
  /** Opens what is sealed. @throws HoldfastError `secret-unreadable` */
  readonly open: (notification: NotificationRecord) => Settings;
  readonly send: SendMessage;
  readonly clock: Clock;
  readonly logger: Logger;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** After the first attempt, the second, …; the one after the last delay is the last. */
const retryDelaysMs = [10_000, minuteMs, 10 * minuteMs, hourMs];
/** Well above the time limit of an attempt. */
const leaseMs = minuteMs;
const concurrency = 4;
/** How often the queue is looked at when nobody woke us: for what other servers left, and what is due again. */
const pollMs = 2000;
const keptMs = 30 * 24 * hourMs;
/** Of a stop: to let attempts end by themselves, and then to write down that they were cut off. */
const graceMs = 1200;
const cutMs = 400;

export function createDeliveryLoop(options: DeliveryLoopOptions): DeliveryLoop {
  return new Loop(options);
}

class Loop implements DeliveryLoop {
  readonly #options: DeliveryLoopOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #cutting = new AbortController();
  #woken = Promise.withResolvers<void>();
  #loop: Promise<void> = Promise.resolve();
  #nextRemovalMs = 0;

  constructor(options: DeliveryLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#repeat();
  }

  wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers<void>();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const ended = (async () => {
      await this.#loop;
      await Promise.all(this.#running);
    })();
    if (await endsWithin(ended, graceMs)) return;
    this.#cutting.abort(new HoldfastError('server-lost', 'The server was stopped meanwhile.'));
    await endsWithin(ended, cutMs);
  }

  async #repeat(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const next = [sleep(pollMs, { signal }).catch(() => {}), this.#woken.promise];
      try {
        await this.#takeAll();
        await this.#removeOld();
      } catch (error) {
        this.#options.logger.error('Notifications could not be taken.', {
          error: toHoldfastError(error).toReport(),
        });
      }
      await Promise.race(next);
    }
  }

  async #takeAll(): Promise<void> {
    while (this.#running.size < concurrency && !this.#stopping.signal.aborted) {
      const delivery = await this.#options.deliveries.take(leaseMs);
      if (delivery === undefined) return;
      const done: Promise<void> = this.#deliver(delivery)
        .catch((error: unknown) => {
          this.#options.logger.error('A notification could not be written down as it went.', {
            delivery: delivery.id,
            error: toHoldfastError(error).toReport(),
          });
        })
        .then(() => {
          this.#running.delete(done);
          this.wake();
        });
      this.#running.add(done);
    }
  }

  async #deliver(delivery: TakenDelivery): Promise<void> {
    const { deliveries, notifications, open, send } = this.#options;
    const notification = await notifications.get(delivery.notificationId);
    // Removed meanwhile, and the row with it.
    if (notification === undefined) return;
    const { settings, allowPrivate } = notification;
    if (delivery.attempt > 1 && isPing(settings.kind) && (await deliveries.hasNewer(delivery))) {
      await deliveries.finish(delivery, 'superseded', null);
      return;
    }
    try {
      const outgoing = { id: delivery.id, message: delivery.message() };
      const receiver = { settings: open(notification), allowPrivate };
      await send(outgoing, receiver, { signal: this.#cutting.signal });
    } catch (error) {
      await this.#noteFailure(notification, delivery, toHoldfastError(error));
      return;
    }
    await this.#end(delivery, 'delivered', null);
  }

  async #noteFailure(
    notification: NotificationRecord,
    delivery: TakenDelivery,
    error: HoldfastError,
  ): Promise<void> {
    const { catalog, deliveries, notifications, clock, logger } = this.#options;
    if (this.#cutting.signal.aborted) {
      await deliveries.postpone(delivery, 0, null);
      return;
    }
    const delayMs = error.retry ? retryDelaysMs[delivery.attempt - 1] : undefined;
    const fields = {
      notification: notification.name,
      delivery: delivery.id,
      attempt: delivery.attempt,
      error: error.toReport(),
    };
    if (delayMs === undefined) {
      logger.warn('A notification was not delivered, and is given up.', fields);
      await this.#end(delivery, 'failed', error);
      return;
    }
    logger.debug('A notification was not delivered, and is tried again.', fields);
    const failure = { atMs: clock.now(), message: error.message };
    await catalog.write(async (tx) => {
      const isOurs = await deliveries.postpone(delivery, delayMs, error.toReport(), tx);
      if (isOurs) await notifications.noteOutcome(notification.id, failure, tx);
    });
  }

  async #end(
    delivery: TakenDelivery,
    state: 'delivered' | 'failed',
    error: HoldfastError | null,
  ): Promise<void> {
    const { catalog, deliveries, notifications, clock } = this.#options;
    const failure = error === null ? null : { atMs: clock.now(), message: error.message };
    await catalog.write(async (tx) => {
      const isOurs = await deliveries.finish(delivery, state, error?.toReport() ?? null, tx);
      if (isOurs) await notifications.noteOutcome(delivery.notificationId, failure, tx);
    });
  }

  async #removeOld(): Promise<void> {
    const { deliveries, clock } = this.#options;
    const now = clock.now();
    if (now < this.#nextRemovalMs) return;
    this.#nextRemovalMs = now + hourMs;
    await deliveries.removeOld(now - keptMs);
  }
}

async function endsWithin(work: Promise<void>, limitMs: number): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(limitMs, { signal: over.signal }).then(
    () => false,
    () => true,
  );
  const isEnded = await Promise.race([work.then(() => true), late]);
  over.abort();
  return isEnded;
}
