import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '@holdfast/base';
import pg from 'pg';
import type { Catalog, CatalogDialect } from '../catalog/catalog.ts';
import { openPostgresqlCatalog } from '../catalog/postgresql-catalog.ts';
import { openSqliteCatalog } from '../catalog/sqlite-catalog.ts';
import { silentLogger } from '../config/logger.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** An empty database of its own, which several catalogs may be opened on, one after the other or at once. */
export interface TestDatabase extends AsyncDisposable {
  readonly dialect: CatalogDialect;
  open(clock: Clock): Promise<Catalog>;
}

export type MakeTestDatabase = () => Promise<TestDatabase>;

export async function sqliteTestDatabase(): Promise<TestDatabase> {
  const directory = await temporaryDirectory();
  return {
    dialect: 'sqlite',
    open: async (clock) => await openSqliteCatalog(join(directory.path, 'catalog.sqlite'), clock),
    [Symbol.asyncDispose]: async () => {
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** @param url a PostgreSQL server; each database is a schema of its own there */
export async function postgresqlTestDatabase(url: string): Promise<TestDatabase> {
  const schema = `test_${randomBytes(8).toString('hex')}`;
  await run(url, `create schema ${schema}`);
  const schemaUrl = new URL(url);
  schemaUrl.searchParams.set('options', `-csearch_path=${schema}`);
  return {
    dialect: 'postgresql',
    open: async (clock) =>
      await openPostgresqlCatalog({ url: schemaUrl.toString(), clock, logger: silentLogger }),
    [Symbol.asyncDispose]: async () => {
      await run(url, `drop schema ${schema} cascade`);
    },
  };
}

async function run(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
