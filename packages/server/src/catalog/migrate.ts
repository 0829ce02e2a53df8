import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, HoldfastError } from '@holdfast/base';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { CatalogDialect } from './catalog.ts';
import type { Tables } from './tables.ts';

const migrationsFolder = join(import.meta.dirname, 'migrations');
const fileName = /^(?<version>[0-9]{4})-(?<name>[a-z0-9-]+)\.sql$/;

/** Any fixed number: what servers that start at once on one PostgreSQL wait for each other by. */
const advisoryLock = 8420_0001;

/** What the tokens of a migration stand for. */
const tokens: Record<CatalogDialect, Readonly<Record<string, string>>> = {
  sqlite: { id: 'TEXT', ms: 'INTEGER', flag: 'INTEGER', strict: ' STRICT' },
  postgresql: { id: 'TEXT COLLATE "C"', ms: 'BIGINT', flag: 'SMALLINT', strict: '' },
};

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}

export interface MigrateOptions {
  readonly database: Kysely<Tables>;
  readonly dialect: CatalogDialect;
  readonly clock: Clock;
}

/**
 * Brings the database to the newest version, all or nothing; servers that do so at once wait for each other.
 *
 * @throws HoldfastError `catalog-newer` when a later version of Holdfast has already changed it
 */
export async function migrate({ database, dialect, clock }: MigrateOptions): Promise<void> {
  const migrations = await readMigrations(dialect);
  await database.transaction().execute(async (tx) => {
    if (dialect === 'postgresql') await sql`select pg_advisory_xact_lock(${advisoryLock})`.execute(tx);
    const current = await currentVersion(tx);
    const newest = migrations.at(-1)?.version ?? 0;
    if (current > newest) throw catalogNewer(current, newest);
    for (const migration of migrations) {
      if (migration.version > current) await apply(tx, migration, clock);
    }
  });
}

/** The migrations in order, their tokens replaced. */
async function readMigrations(dialect: CatalogDialect): Promise<readonly Migration[]> {
  const migrations: Migration[] = [];
  for (const file of (await readdir(migrationsFolder)).sort()) {
    const parts = fileName.exec(file)?.groups;
    if (parts === undefined) continue;
    const text = await readFile(join(migrationsFolder, file), 'utf8');
    migrations.push({
      version: Number(parts.version),
      name: parts.name ?? '',
      statements: statementsOf(text, tokens[dialect]),
    });
  }
  return migrations;
}

/** A statement ends with `;` at the end of a line. */
function statementsOf(text: string, values: Readonly<Record<string, string>>): string[] {
  const filled = text.replaceAll(/^--.*$/gm, '').replaceAll(/\{\{(\w+)\}\}/g, (token, name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new HoldfastError('internal', `A migration has the unknown token ${token}.`);
    return value;
  });
  return filled
    .split(/;\s*\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

async function currentVersion(tx: Transaction<Tables>): Promise<number> {
  await sql`create table if not exists schema_migration (
    version integer primary key, name text not null, applied_at bigint not null)`.execute(tx);
  const { rows } = await sql<{
    version: number | null;
  }>`select max(version) as version from schema_migration`.execute(tx);
  return rows[0]?.version ?? 0;
}

async function apply(tx: Transaction<Tables>, migration: Migration, clock: Clock): Promise<void> {
  for (const statement of migration.statements) await sql.raw(statement).execute(tx);
  await sql`insert into schema_migration (version, name, applied_at)
    values (${migration.version}, ${migration.name}, ${clock.now()})`.execute(tx);
}

function catalogNewer(current: number, newest: number): HoldfastError {
  return new HoldfastError(
    'catalog-newer',
    `The catalog is at version ${current}, this program knows only up to ${newest}.`,
    { hint: 'Run the version of Holdfast that was last used with this catalog, or a later one.' },
  );
}
