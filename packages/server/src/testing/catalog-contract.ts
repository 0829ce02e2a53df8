import { systemClock } from '@holdfast/base';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { Catalog } from '../catalog/catalog.ts';
import { createIds } from '../catalog/ids.ts';
import { type MakeTestDatabase, sqliteTestDatabase } from './test-catalogs.ts';

/** What a catalog promises, on every dialect. */
export function describeCatalog(makeDatabase: MakeTestDatabase): void {
  const ids = createIds();
  const node = (name: string) => ({
    id: ids.node(),
    name,
    docker_host: 'unix:///none',
    engine_id: null,
    created_at: 2 ** 45,
  });

  describe('catalog', () => {
    test('a transaction counts as a whole or not at all', async () => {
      await using database = await makeDatabase();
      await using catalog = await database.open(systemClock);
      await catalog.write(async (tx) => {
        await tx
          .insertInto('node')
          .values([node('a'), node('b')])
          .execute();
      });
      const failing = catalog.write(async (tx) => {
        await tx.insertInto('node').values(node('c')).execute();
        throw new Error('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
      const rows = await catalog.db.selectFrom('node').select('name').orderBy('name').execute();
      expect(rows.map((row) => row.name)).toEqual(['a', 'b']);
    });

    test('a statement past the open transaction fails instead of waiting for ever', async () => {
      await using database = await makeDatabase();
      await using catalog = await database.open(systemClock);
      const past = catalog.write(async () => await catalog.db.selectFrom('node').selectAll().execute());
      await expect(past).rejects.toMatchObject({ code: 'internal' });
      await expect(catalog.ping()).resolves.toBeUndefined();
    });

    test('work that a transaction has begun and left behind may use the catalog afterwards', async () => {
      await using database = await makeDatabase();
      await using catalog = await database.open(systemClock);
      const { promise: isOver, resolve: over } = Promise.withResolvers<void>();
      let later: Promise<unknown> = Promise.resolve();
      await catalog.write(async () => {
        later = isOver.then(async () => await catalog.db.selectFrom('node').selectAll().execute());
      });
      over();
      await expect(later).resolves.toEqual([]);
    });

    test('numbers come back as numbers and ids sort by their bytes', async () => {
      await using database = await makeDatabase();
      await using catalog = await database.open(systemClock);
      await catalog.db.insertInto('node').values(['b', 'B', 'a-1', 'a_1', 'a1'].map(node)).execute();
      const rows = await catalog.db
        .selectFrom('node')
        .select(['name', 'created_at'])
        .orderBy('name')
        .execute();
      expect(rows.map((row) => row.name)).toEqual(['B', 'a-1', 'a1', 'a_1', 'b']);
      expect(rows[0]?.created_at).toBe(2 ** 45);
    });

    test('is opened again with what it held, and refused when a later version has changed it', async () => {
      await using database = await makeDatabase();
      {
        await using catalog = await database.open(systemClock);
        await catalog.db.insertInto('node').values(node('a')).execute();
      }
      {
        await using catalog = await database.open(systemClock);
        await expect(catalog.db.selectFrom('node').select('name').execute()).resolves.toEqual([
          { name: 'a' },
        ]);
        await sql`insert into schema_migration (version, name, applied_at) values (9999, 'later', 0)`.execute(
          catalog.db,
        );
      }
      await expect(database.open(systemClock)).rejects.toMatchObject({ code: 'catalog-newer' });
    });

    test('every table has the columns that it has on SQLite', async () => {
      await using database = await makeDatabase();
      await using sqlite = await sqliteTestDatabase();
      await using catalog = await database.open(systemClock);
      await using reference = await sqlite.open(systemClock);
      expect(await columnsOf(catalog)).toEqual(await columnsOf(reference));
    });
  });
}

async function columnsOf(catalog: Catalog): Promise<readonly string[]> {
  const tables = await catalog.db.introspection.getTables();
  return tables
    .flatMap((table) =>
      table.columns.map(({ name, isNullable }) => `${table.name}.${name}${isNullable ? '?' : ''}`),
    )
    .filter((column) => !column.startsWith('schema_migration.'))
    .sort();
}
