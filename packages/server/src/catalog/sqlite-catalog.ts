import { open } from 'node:fs/promises';
import { type Clock, HoldfastError, systemErrorCode } from '@holdfast/base';
import Database from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
} from 'kysely';
import { type Catalog, createCatalog } from './catalog.ts';
import { migrate } from './migrate.ts';
import type { Tables } from './tables.ts';

/** A transaction that may write says so at its start, so that it waits there instead of failing in its middle. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

class ImmediateDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(config: SqliteDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new ImmediateDriver(this.#config);
  }
}

/**
 * Opens the catalog file, makes it where it is missing, and brings it to this program's version.
 * Every commit is on stable storage before it returns. Only one process may have it open: the caller holds the data
 * directory's lock.
 *
 * @throws HoldfastError `catalog-unreachable`, `catalog-newer`
 */
export async function openSqliteCatalog(path: string, clock: Clock): Promise<Catalog> {
  await makeForOwner(path);
  const file = openFile(path);
  const database = new Kysely<Tables>({ dialect: new ImmediateDialect({ database: file }) });
  try {
    await migrate({ database, dialect: 'sqlite', clock });
  } catch (error) {
    await database.destroy();
    // Kysely closes only what it has begun to use.
    if (file.open) file.close();
    throw error instanceof HoldfastError ? error : fileUnusable(path, error);
  }
  return createCatalog({ dialect: 'sqlite', database, clock });
}

/** SQLite gives the files beside it the same mode. */
async function makeForOwner(path: string): Promise<void> {
  try {
    const file = await open(path, 'a', 0o600);
    await file.close();
  } catch (error) {
    throw fileUnusable(path, error);
  }
}

function openFile(path: string): Database.Database {
  let file: Database.Database | undefined;
  try {
    file = new Database(path);
    file.pragma('journal_mode = WAL');
    file.pragma('synchronous = FULL');
    file.pragma('busy_timeout = 10000');
    file.pragma('foreign_keys = ON');
    return file;
  } catch (error) {
    file?.close();
    throw fileUnusable(path, error);
  }
}

function fileUnusable(path: string, cause: unknown): HoldfastError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new HoldfastError('catalog-unreachable', `The catalog ${path} cannot be opened: ${reason}.`, {
    hint: 'Check that the data directory is on a local disk, has room, and belongs to the user that runs the server.',
    context: { path, reason: systemErrorCode(cause) ?? null },
    cause,
  });
}
