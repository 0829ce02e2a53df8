import type { Clock } from '@holdfast/base';
import type { VaultId } from '@holdfast/protocol';
import type { Catalog, Db } from '../../catalog/catalog.ts';
import type { VaultTable } from '../../catalog/tables.ts';

export interface VaultRecord {
  readonly id: VaultId;
  readonly name: string;
  readonly location: string;
  readonly isDefault: boolean;
  readonly createdAtMs: number;
}

export interface VaultStore {
  /** Makes the vault of this name; one that exists keeps its id and gets this location. */
  ensure(vault: Omit<VaultRecord, 'createdAtMs'>): Promise<VaultRecord>;
  /** By name. */
  list(): Promise<readonly VaultRecord[]>;
  get(id: VaultId, db?: Db): Promise<VaultRecord | undefined>;
  getByName(name: string): Promise<VaultRecord | undefined>;
}

export function createVaultStore(catalog: Catalog, clock: Clock): VaultStore {
  return {
    ensure: async ({ id, name, location, isDefault }) => {
      const row = await catalog.db
        .insertInto('vault')
        .values({ id, name, location, is_default: isDefault ? 1 : 0, created_at: clock.now() })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ location }))
        .returningAll()
        .executeTakeFirstOrThrow();
      return toRecord(row);
    },
    list: async () => {
      const rows = await catalog.db.selectFrom('vault').selectAll().orderBy('name').execute();
      return rows.map(toRecord);
    },
    get: async (id, db = catalog.db) => {
      const row = await db.selectFrom('vault').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    getByName: async (name) => {
      const row = await catalog.db
        .selectFrom('vault')
        .selectAll()
        .where('name', '=', name)
        .executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
  };
}

function toRecord(row: VaultTable): VaultRecord {
  return {
    id: row.id,
    name: row.name,
    location: row.location,
    isDefault: row.is_default === 1,
    createdAtMs: row.created_at,
  };
}
