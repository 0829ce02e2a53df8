import { type Clock, HoldfastError } from '@holdfast/base';
import {
  type EnvironmentId,
  environmentIdSchema,
  type NotificationEventName,
  type NotificationId,
  notificationEventSchema,
  notificationEvents,
  type ShownNotificationSettings,
  shownSettingsSchema,
} from '@holdfast/protocol';
import { z } from 'zod';
import type { Catalog, Db } from '../../catalog/catalog.ts';
import { jsonColumn } from '../../catalog/json-column.ts';
import type { NotificationTable } from '../../catalog/tables.ts';

export interface DeliveryFailure {
  readonly atMs: number;
  readonly message: string;
}

export interface NotificationRecord {
  readonly id: NotificationId;
  readonly name: string;
  /** Null: the default ones of its kind. */
  readonly events: readonly NotificationEventName[] | null;
  /** Null: all. */
  readonly environments: readonly EnvironmentId[] | null;
  readonly allowPrivate: boolean;
  readonly settings: ShownNotificationSettings;
  readonly sealedSettings: string;
  readonly lastDeliveredAtMs: number | null;
  readonly lastError: DeliveryFailure | null;
  readonly createdAtMs: number;
}

export type NewNotification = Omit<NotificationRecord, 'lastDeliveredAtMs' | 'lastError' | 'createdAtMs'>;
export type NotificationChange = Omit<NewNotification, 'id'>;

/** Whom events are told. */
export interface NotificationStore {
  /** By name. */
  list(db?: Db): Promise<readonly NotificationRecord[]>;
  get(id: NotificationId): Promise<NotificationRecord | undefined>;
  /** @throws HoldfastError `notification-exists` for a name that one has */
  add(notification: NewNotification): Promise<NotificationRecord>;
  /** Undefined where there is none any more. @throws HoldfastError as `add` */
  update(id: NotificationId, change: NotificationChange): Promise<NotificationRecord | undefined>;
  /** With what was still to be delivered. */
  remove(id: NotificationId): Promise<void>;
  /** Writes down how an attempt went: null for well. */
  noteOutcome(id: NotificationId, failure: DeliveryFailure | null, db?: Db): Promise<void>;
}

// An event that this version does not know is told by the one that does, and stays in the row for it.
const knownEvents: ReadonlySet<string> = new Set(notificationEvents);
const eventsColumn = jsonColumn('notification.events', z.array(z.string()));
const environmentsColumn = jsonColumn('notification.environments', z.array(environmentIdSchema));
const settingsColumn = jsonColumn('notification.settings', shownSettingsSchema);
const lastErrorColumn = jsonColumn(
  'notification.last_error',
  z.object({ atMs: z.int(), message: z.string() }),
);

export function createNotificationStore(catalog: Catalog, clock: Clock): NotificationStore {
  return {
    list: async (db = catalog.db) => {
      const rows = await db.selectFrom('notification').selectAll().orderBy('name').execute();
      return rows.map(toRecord);
    },

    get: async (id) => {
      const row = await catalog.db
        .selectFrom('notification')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },

    add: async ({ id, ...given }) => {
      const row = await catalog.db
        .insertInto('notification')
        .values({
          ...{ id, created_at: clock.now(), last_delivered_at: null, last_error: null },
          ...columnsOf(given),
        })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) throw sameName(given.name);
      return toRecord(row);
    },

    update: async (id, change) =>
      await catalog.write(async (tx) => {
        const other = await tx
          .selectFrom('notification')
          .select('id')
          .where('name', '=', change.name)
          .where('id', '!=', id)
          .executeTakeFirst();
        if (other !== undefined) throw sameName(change.name);
        const row = await tx
          .updateTable('notification')
          .set(columnsOf(change))
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst();
        return row === undefined ? undefined : toRecord(row);
      }),

    remove: async (id) => {
      await catalog.db.deleteFrom('notification').where('id', '=', id).execute();
    },

    noteOutcome: async (id, failure, db = catalog.db) => {
      await db
        .updateTable('notification')
        .set({
          last_error: lastErrorColumn.writeNullable(failure),
          ...(failure === null ? { last_delivered_at: clock.now() } : {}),
        })
        .where('id', '=', id)
        .execute();
    },
  };
}

function columnsOf({
  name,
  events,
  environments,
  allowPrivate,
  settings,
  sealedSettings,
}: NotificationChange) {
  return {
    name,
    events: eventsColumn.writeNullable(events === null ? null : [...events]),
    environments: environmentsColumn.writeNullable(environments === null ? null : [...environments]),
    allow_private: allowPrivate ? (1 as const) : (0 as const),
    settings: settingsColumn.write(settings),
    sealed_settings: sealedSettings,
  };
}

function toRecord(row: NotificationTable): NotificationRecord {
  const events = eventsColumn.readNullable(row.events);
  return {
    id: row.id,
    name: row.name,
    events:
      events === null
        ? null
        : events
            .filter((event) => knownEvents.has(event))
            .map((event) => notificationEventSchema.parse(event)),
    environments: environmentsColumn.readNullable(row.environments),
    allowPrivate: row.allow_private === 1,
    settings: settingsColumn.read(row.settings),
    sealedSettings: row.sealed_settings,
    lastDeliveredAtMs: row.last_delivered_at,
    lastError: lastErrorColumn.readNullable(row.last_error),
    createdAtMs: row.created_at,
  };
}

function sameName(name: string): HoldfastError {
  return new HoldfastError('notification-exists', `There is a notification ${name} already.`, {
    hint: 'Choose another name, or change that one (holdfast notification:update).',
    context: { notification: name },
  });
}
