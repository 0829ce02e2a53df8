import { type Clock, HoldfastError } from '@holdfast/base';
import { type DatabaseConnection, type Driver, Kysely, PostgresDialect, PostgresDriver } from 'kysely';
import pg from 'pg';
import type { Logger } from '../config/logger.ts';
import { type Catalog, catalogUnreachable, createCatalog } from './catalog.ts';
import { migrate } from './migrate.ts';
import type { Tables } from './tables.ts';

const connectTimeoutMs = 10_000;
const int8Oid = 20;

/** Times and sizes are below 2^53, so that they can be numbers. */
const numbersForInt8: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === int8Oid ? Number : pg.types.getTypeParser(oid, format)),
};

class CodedDriver extends PostgresDriver {
  override async acquireConnection(): Promise<DatabaseConnection> {
    try {
      return await super.acquireConnection();
    } catch (error) {
      throw catalogUnreachable(error);
    }
  }
}

class CodedDialect extends PostgresDialect {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    super({ pool });
    this.#pool = pool;
  }

  override createDriver(): Driver {
    return new CodedDriver({ pool: this.#pool });
  }
}

export interface PostgresqlCatalogOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Connects to PostgreSQL and brings the catalog to this program's version. Several servers may share one.
 *
 * @throws HoldfastError `catalog-unreachable`, `catalog-newer`
 */
export async function openPostgresqlCatalog({
  url,
  clock,
  logger,
}: PostgresqlCatalogOptions): Promise<Catalog> {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'holdfast',
    connectionTimeoutMillis: connectTimeoutMs,
    types: numbersForInt8,
  });
  // Without a listener, an idle connection that the database closes would end the process.
  pool.on('error', (error) => {
    logger.warn('An idle connection to the catalog broke.', { reason: error.message });
  });
  const database = new Kysely<Tables>({ dialect: new CodedDialect(pool) });
  try {
    await migrate({ database, dialect: 'postgresql', clock });
  } catch (error) {
    await database.destroy();
    throw error instanceof HoldfastError ? error : catalogUnreachable(error);
  }
  return createCatalog({ dialect: 'postgresql', database, clock });
}
