import { AsyncLocalStorage } from 'node:async_hooks';
import { type Clock, HoldfastError } from '@holdfast/base';
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from './tables.ts';

export type CatalogDialect = 'sqlite' | 'postgresql';

/** Runs inside of one transaction: all of it counts, or nothing. */
export type Tx = Transaction<Tables>;

/** Where a statement runs: on its own, or inside of a transaction. */
export type Db = Kysely<Tables>;

/** What the server knows: one database, SQLite or PostgreSQL. SQL for it stands in the features' stores only. */
export interface Catalog extends AsyncDisposable {
  readonly dialect: CatalogDialect;
  /**
   * For single statements, each a transaction of its own.
   * @throws HoldfastError `internal` inside of `write`: there, everything has to go through its `tx`
   */
  readonly db: Db;
  /**
   * One transaction. It sees no one else's writes in between on SQLite (BEGIN IMMEDIATE); on PostgreSQL it is READ
   * COMMITTED: what must not change meanwhile has to be locked or held by a constraint.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** The moment that leases are measured by: the database's clock where several servers share it. */
  now(): RawBuilder<number>;
  /** @throws HoldfastError `catalog-unreachable` */
  ping(): Promise<void>;
}

export interface CatalogOptions {
  readonly dialect: CatalogDialect;
  readonly database: Db;
  readonly clock: Clock;
}

/** Puts the interface over a database that is open and has all migrations. */
export function createCatalog({ dialect, database, clock }: CatalogOptions): Catalog {
  const transactions = new AsyncLocalStorage<{ open: boolean }>();

  return {
    dialect,
    get db() {
      // On SQLite's one connection this would wait for itself for ever; on PostgreSQL it would not be atomic.
      if (transactions.getStore()?.open === true) {
        throw new HoldfastError('internal', 'The catalog was used past the transaction that is open.');
      }
      return database;
    },
    write: async (work) => {
      const state = { open: true };
      try {
        return await database
          .transaction()
          .execute((tx) => transactions.run(state, async () => await work(tx)));
      } finally {
        state.open = false;
      }
    },
    now: () =>
      dialect === 'sqlite'
        ? sql<number>`${clock.now()}`
        : sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
    ping: async () => {
      try {
        await sql`select 1`.execute(database);
      } catch (error) {
        throw catalogUnreachable(error);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await database.destroy();
    },
  };
}

export function catalogUnreachable(cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : 'no answer';
  return new HoldfastError('catalog-unreachable', `The catalog cannot be reached: ${reason}.`, {
    hint: 'Check that the database runs and that HOLDFAST_CATALOG_URL is right.',
    retry: true,
    cause,
  });
}
