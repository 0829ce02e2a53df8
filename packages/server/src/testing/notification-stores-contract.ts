import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createIds } from '../catalog/ids.ts';
import { createDeliveryStore, type TakenDelivery } from '../features/notifications/delivery-store.ts';
import { messageOf } from '../features/notifications/notification-message.ts';
import { createNotificationStore, type NewNotification } from '../features/notifications/store.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

/** What notifications and their deliveries promise, on every dialect. */
export function describeNotificationStores(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const ids = createIds();
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    const notifications = createNotificationStore(catalog, clock);
    const deliveries = createDeliveryStore({ catalog, clock, ids });
    const newOne = (name: string): NewNotification => ({
      id: ids.notification(),
      name,
      events: null,
      environments: null,
      allowPrivate: false,
      settings: { kind: 'webhook', origin: 'https://example.test' },
      sealedSettings: 'sealed',
    });
    const test = { event: 'test', notification: { id: ids.notification(), name: 'x' } } as const;
    const message = messageOf(test, clock.now());
    /** The manual clock counts on SQLite, the database's own on PostgreSQL. */
    const pass = async (durationMs: number): Promise<void> => {
      clock.advance(durationMs);
      await delay(durationMs + 10);
    };
    return { clock, ids, catalog, notifications, deliveries, newOne, message, pass, dispose: stack };
  }

  function taken(delivery: TakenDelivery | undefined): TakenDelivery {
    if (delivery === undefined) throw new Error('There was nothing to deliver.');
    return delivery;
  }

  describe('notifications', () => {
    test('are listed by name, changed and removed; a name is given once', async () => {
      const { notifications, newOne, ids, dispose } = await setUp();
      await using _ = dispose;
      const ops = await notifications.add(newOne('ops'));
      const mail = await notifications.add(newOne('mail'));
      expect(await notifications.list()).toEqual([mail, ops]);
      const exists = { code: 'notification-exists' };
      await expect(notifications.add(newOne('ops'))).rejects.toMatchObject(exists);
      await expect(notifications.update(mail.id, ops)).rejects.toMatchObject(exists);
      const environments = [ids.environment()];
      const change = { ...newOne('ops'), events: ['restore.done' as const], environments };
      const { id: _id, ...changed } = change;
      expect(await notifications.update(ops.id, changed)).toEqual({ ...ops, ...changed });
      expect(await notifications.get(ops.id)).toMatchObject({ events: ['restore.done'], environments });
      await notifications.remove(ops.id);
      expect(await notifications.get(ops.id)).toBeUndefined();
      expect(await notifications.update(ops.id, changed)).toBeUndefined();
    });

    test('know how their last delivery went', async () => {
      const { notifications, newOne, clock, dispose } = await setUp();
      await using _ = dispose;
      const { id } = await notifications.add(newOne('ops'));
      const failure = { atMs: clock.now(), message: 'refused' };
      await notifications.noteOutcome(id, failure);
      expect(await notifications.get(id)).toMatchObject({ lastDeliveredAtMs: null, lastError: failure });
      await notifications.noteOutcome(id, null);
      expect(await notifications.get(id)).toMatchObject({ lastDeliveredAtMs: clock.now(), lastError: null });
      await notifications.noteOutcome(id, failure);
      expect(await notifications.get(id)).toMatchObject({
        lastDeliveredAtMs: clock.now(),
        lastError: failure,
      });
    });
  });

  describe('deliveries', () => {
    test('a key is queued once for each notification, and not again after it was delivered', async () => {
      const { notifications, deliveries, newOne, message, dispose } = await setUp();
      await using _ = dispose;
      const [a, b] = [await notifications.add(newOne('a')), await notifications.add(newOne('b'))];
      await Promise.all([
        deliveries.queue([a.id, b.id], 'one', message),
        deliveries.queue([b.id, a.id], 'one', message),
      ]);
      expect(await deliveries.counts()).toEqual(
        new Map([
          [a.id, { queued: 1, failed: 0 }],
          [b.id, { queued: 1, failed: 0 }],
        ]),
      );
      const first = taken(await deliveries.take(60_000));
      expect(first.message()).toEqual(message);
      expect(await deliveries.finish(first, 'delivered', null)).toBe(true);
      await deliveries.queue([first.notificationId], 'one', message);
      const second = taken(await deliveries.take(60_000));
      expect(second.notificationId).not.toBe(first.notificationId);
      expect(await deliveries.take(60_000)).toBeUndefined();
    });

    test('what is queued in a transaction that fails is not queued', async () => {
      const { notifications, deliveries, newOne, message, catalog, dispose } = await setUp();
      await using _ = dispose;
      const { id } = await notifications.add(newOne('a'));
      const failing = catalog.write(async (tx) => {
        expect(await notifications.list(tx)).toHaveLength(1);
        await deliveries.queue([id], 'one', message, tx);
        throw new Error('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
      expect(await deliveries.take(60_000)).toBeUndefined();
    });

    test('each is taken once, one of a notification at a time, the oldest first', async () => {
      const { notifications, deliveries, newOne, message, clock, dispose } = await setUp();
      await using _ = dispose;
      const [a, b] = [await notifications.add(newOne('a')), await notifications.add(newOne('b'))];
      await deliveries.queue([a.id], 'one', message);
      clock.advance(1);
      await deliveries.queue([a.id], 'two', message);
      clock.advance(1);
      await deliveries.queue([b.id], 'three', message);
      const first = taken(await deliveries.take(60_000));
      const second = taken(await deliveries.take(60_000));
      expect([first.notificationId, second.notificationId]).toEqual([a.id, b.id]);
      expect(await deliveries.take(60_000)).toBeUndefined();
      expect(await deliveries.hasNewer(first)).toBe(true);
      expect(await deliveries.hasNewer(second)).toBe(false);
      await deliveries.finish(first, 'delivered', null);
      expect(taken(await deliveries.take(60_000))).toMatchObject({ notificationId: a.id, attempt: 1 });
    });

    test('one that was postponed is due later, with its id; a lease that ran out gives it to another', async () => {
      const { notifications, deliveries, newOne, message, pass, dispose } = await setUp();
      await using _ = dispose;
      const { id } = await notifications.add(newOne('a'));
      await deliveries.queue([id], 'one', message);
      const first = taken(await deliveries.take(60_000));
      expect(await deliveries.postpone(first, 100, { code: 'notification-failed', message: 'x' })).toBe(true);
      expect(await deliveries.take(60_000)).toBeUndefined();
      await pass(101);
      const second = taken(await deliveries.take(50));
      expect(second).toMatchObject({ id: first.id, attempt: 2 });
      await pass(51);
      const third = taken(await deliveries.take(60_000));
      expect(third).toMatchObject({ id: first.id, attempt: 3 });
      expect(await deliveries.finish(second, 'delivered', null)).toBe(false);
      expect(await deliveries.postpone(second, 0, null)).toBe(false);
      const error = { code: 'notification-failed', message: 'Refused.', hint: 'Ask.' };
      expect(await deliveries.finish(third, 'failed', error)).toBe(true);
      expect(await deliveries.counts()).toEqual(new Map([[id, { queued: 0, failed: 1 }]]));
    });

    test('those that ended long ago are removed, and those of a notification that is', async () => {
      const { notifications, deliveries, newOne, message, clock, dispose } = await setUp();
      await using _ = dispose;
      const { id } = await notifications.add(newOne('a'));
      await deliveries.queue([id], 'one', message);
      await deliveries.finish(taken(await deliveries.take(60_000)), 'failed', null);
      await deliveries.queue([id], 'two', message);
      await deliveries.removeOld(clock.now());
      expect(await deliveries.counts()).toEqual(new Map([[id, { queued: 1, failed: 1 }]]));
      clock.advance(1);
      await deliveries.removeOld(clock.now());
      expect(await deliveries.counts()).toEqual(new Map([[id, { queued: 1, failed: 0 }]]));
      await notifications.remove(id);
      expect(await deliveries.counts()).toEqual(new Map());
    });

    test('several servers at once take each of many once', async () => {
      const { notifications, deliveries, newOne, message, dispose } = await setUp();
      await using _ = dispose;
      const all = await Promise.all(
        Array.from({ length: 12 }, async (_each, index) => await notifications.add(newOne(`n${index}`))),
      );
      await deliveries.queue(
        all.map(({ id }) => id),
        'one',
        message,
      );
      const found = await Promise.all(all.map(async () => await deliveries.take(60_000)));
      const rest: (TakenDelivery | undefined)[] = [];
      // A caller that lost a race for a row is told that there is none, and comes again.
      for (let more = await deliveries.take(60_000); more !== undefined; more = await deliveries.take(60_000))
        rest.push(more);
      const ids = [...found, ...rest].flatMap((each) => (each === undefined ? [] : [each.id]));
      expect(ids).toHaveLength(12);
      expect(new Set(ids).size).toBe(12);
    });
  });
}
