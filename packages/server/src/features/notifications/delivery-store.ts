import type { Clock, ErrorReport } from '@holdfast/base';
import { type DeliveryId, errorReportSchema, type NotificationId } from '@holdfast/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { Catalog, Db } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import { jsonColumn } from '../../catalog/json-column.ts';
import type { NotificationDeliveryTable } from '../../catalog/tables.ts';
import { type Message, messageSchema } from './notification-message.ts';

/** A message that somebody has taken to deliver it now. */
export interface TakenDelivery {
  readonly id: DeliveryId;
  readonly notificationId: NotificationId;
  /** From 1 on. Tells this attempt from one that another server makes once the lease has run out. */
  readonly attempt: number;
  readonly createdAtMs: number;
  /** @throws HoldfastError `catalog-damaged` */
  message(): Message;
}

export interface DeliveryCounts {
  readonly queued: number;
  readonly failed: number;
}

/**
 * What is to be delivered, and what was. A row is `queued` until it is `delivered`, `failed` (given up) or
 * `superseded` (too late to say anything).
 */
export interface DeliveryStore {
  /** One row for each; those that have this key already get none. */
  queue(to: readonly NotificationId[], key: string, message: Message, db?: Db): Promise<void>;
  /**
   * Takes the oldest that is due, for so long; undefined when there is none. Two callers never get the same, and a
   * notification has one at a time, but for two servers that look at the very same moment.
   */
  take(leaseMs: number): Promise<TakenDelivery | undefined>;
  /** True where something was queued for the same notification after it. */
  hasNewer(delivery: TakenDelivery): Promise<boolean>;
  /** Ends it; false when another attempt has begun, or it is gone. */
  finish(
    delivery: TakenDelivery,
    state: 'delivered' | 'failed' | 'superseded',
    error: ErrorReport | null,
    db?: Db,
  ): Promise<boolean>;
  /** It is due again after so long. */
  postpone(delivery: TakenDelivery, delayMs: number, error: ErrorReport | null, db?: Db): Promise<boolean>;
  /** Those that have any. */
  counts(): Promise<ReadonlyMap<NotificationId, DeliveryCounts>>;
  /** Those that ended before. Until then their keys are told no second time. */
  removeOld(beforeMs: number): Promise<void>;
}

export interface DeliveryStoreOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'delivery'>;
}

const messageColumn = jsonColumn('notification_delivery.message', messageSchema);
const errorColumn = jsonColumn('notification_delivery.error', errorReportSchema);

export function createDeliveryStore({ catalog, clock, ids }: DeliveryStoreOptions): DeliveryStore {
  const after = (durationMs: number): RawBuilder<number> => sql<number>`${catalog.now()} + ${durationMs}`;

  /** The row, as long as it is this attempt's. */
  const heldBy = ({ id, attempt }: TakenDelivery, db: Db) =>
    db
      .updateTable('notification_delivery')
      .where('id', '=', id)
      .where('attempts', '=', attempt)
      .where('state', '=', 'queued');

  return {
    queue: async (to, key, message, db = catalog.db) => {
      if (to.length === 0) return;
      const text = messageColumn.write(message);
      await db
        .insertInto('notification_delivery')
        .values(
          to.map((notificationId) => ({
            id: ids.delivery(),
            notification_id: notificationId,
            event_key: key,
            message: text,
            state: 'queued' as const,
            attempts: 0,
            next_attempt_at: catalog.now(),
            lease_until: null,
            error: null,
            created_at: clock.now(),
            finished_at: null,
          })),
        )
        .onConflict((conflict) => conflict.columns(['notification_id', 'event_key']).doNothing())
        .execute();
    },

    take: async (leaseMs) => {
      const row = await catalog.db
        .updateTable('notification_delivery')
        .set((change) => ({ attempts: change('attempts', '+', 1), lease_until: after(leaseMs) }))
        .where('id', '=', (query) =>
          query
            .selectFrom('notification_delivery as due')
            .select('due.id')
            .where('due.state', '=', 'queued')
            .where('due.next_attempt_at', '<=', catalog.now())
            // Of the row itself too: PostgreSQL looks again at that, not at others, when it was changed meanwhile.
            .where((row) =>
              row.or([row('due.lease_until', 'is', null), row('due.lease_until', '<', catalog.now())]),
            )
            .where(({ not, exists, selectFrom }) =>
              not(
                exists(
                  selectFrom('notification_delivery as busy')
                    .select('busy.id')
                    .whereRef('busy.notification_id', '=', 'due.notification_id')
                    .where('busy.state', '=', 'queued')
                    .where('busy.lease_until', '>=', catalog.now()),
                ),
              ),
            )
            .orderBy('due.created_at')
            .orderBy('due.id')
            .limit(1)
            .$if(catalog.dialect === 'postgresql', (locked) => locked.forUpdate().skipLocked()),
        )
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? undefined : toTaken(row);
    },

    hasNewer: async ({ notificationId, createdAtMs }) => {
      const newer = await catalog.db
        .selectFrom('notification_delivery')
        .select('id')
        .where('notification_id', '=', notificationId)
        .where('created_at', '>', createdAtMs)
        .limit(1)
        .executeTakeFirst();
      return newer !== undefined;
    },

    finish: async (delivery, state, error, db = catalog.db) => {
      const { numUpdatedRows } = await heldBy(delivery, db)
        .set({
          state,
          error: errorColumn.writeNullable(error),
          lease_until: null,
          finished_at: clock.now(),
        })
        .executeTakeFirstOrThrow();
      return numUpdatedRows === 1n;
    },

    postpone: async (delivery, delayMs, error, db = catalog.db) => {
      const { numUpdatedRows } = await heldBy(delivery, db)
        .set({
          next_attempt_at: after(delayMs),
          lease_until: null,
          ...(error === null ? {} : { error: errorColumn.write(error) }),
        })
        .executeTakeFirstOrThrow();
      return numUpdatedRows === 1n;
    },

    counts: async () => {
      const rows = await catalog.db
        .selectFrom('notification_delivery')
        .select((row) => ['notification_id', 'state', row.fn.countAll<number>().as('count')])
        .where('state', 'in', ['queued', 'failed'])
        .groupBy(['notification_id', 'state'])
        .execute();
      const counts = new Map<NotificationId, DeliveryCounts>();
      for (const { notification_id: id, state, count } of rows) {
        const before = counts.get(id) ?? { queued: 0, failed: 0 };
        counts.set(id, { ...before, [state]: count });
      }
      return counts;
    },

    removeOld: async (beforeMs) => {
      await catalog.db.deleteFrom('notification_delivery').where('finished_at', '<', beforeMs).execute();
    },
  };
}

function toTaken(row: NotificationDeliveryTable): TakenDelivery {
  return {
    id: row.id,
    notificationId: row.notification_id,
    attempt: row.attempts,
    createdAtMs: row.created_at,
    message: () => messageColumn.read(row.message),
  };
}
