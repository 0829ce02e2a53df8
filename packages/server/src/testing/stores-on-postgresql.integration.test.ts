import { describe } from 'vitest';
import { describeStores } from './store-contracts.ts';
import { postgresqlTestDatabase } from './test-catalogs.ts';

const url = process.env.HOLDFAST_TEST_POSTGRES;

// Skipped only where HOLDFAST_TEST_POSTGRES names no PostgreSQL server; `script/testbed up postgres` starts one.
describe.skipIf(url === undefined)('on PostgreSQL', () => {
  describeStores(async () => await postgresqlTestDatabase(url ?? ''));
});
