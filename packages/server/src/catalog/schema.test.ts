import { systemClock } from '@holdfast/base';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { sqliteTestDatabase } from '../testing/test-catalogs.ts';

// After a new migration: npx vitest run packages/server/src/catalog/schema.test.ts -u
test('schema.sql is what the migrations make', async () => {
  await using database = await sqliteTestDatabase();
  await using catalog = await database.open(systemClock);
  const { rows } = await sql<{ sql: string }>`
    select sql from sqlite_master where sql is not null order by tbl_name, type desc, name
  `.execute(catalog.db);
  const schema = rows.map((row) => `${row.sql};\n`).join('\n');
  await expect(schema).toMatchFileSnapshot('./schema.sql');
});
