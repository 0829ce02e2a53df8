import { describe } from 'vitest';
import { describeStores } from './store-contracts.ts';
import { sqliteTestDatabase } from './test-catalogs.ts';

describe('on SQLite', () => {
  describeStores(sqliteTestDatabase);
});
