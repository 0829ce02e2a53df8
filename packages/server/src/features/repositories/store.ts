import type { Clock } from '@holdfast/base';
import type { EnvironmentId, RepositoryId, VaultId } from '@holdfast/protocol';
import type { Catalog, Db, Tx } from '../../catalog/catalog.ts';
import type { RepositoryTable } from '../../catalog/tables.ts';

export interface RepositoryRecord {
  readonly id: RepositoryId;
  readonly vaultId: VaultId;
  readonly environmentId: EnvironmentId;
  /** Below the vault's location. */
  readonly folder: string;
  readonly sealedPassword: string;
  /** Null until it was first made in the vault; from then on it is never made anew. */
  readonly initializedAtMs: number | null;
}

export interface NamedRepository extends RepositoryRecord {
  readonly environmentName: string;
}

export type NewRepository = Omit<RepositoryRecord, 'initializedAtMs'>;

export interface RepositoryStore {
  /** Makes the row of an environment's repository in a vault; the one that exists stays as it is. */
  ensure(repository: NewRepository, tx: Tx): Promise<RepositoryRecord>;
  get(id: RepositoryId, db?: Db): Promise<RepositoryRecord | undefined>;
  /** Those that vaults are known to hold, by the name of their environment. */
  listInitialized(environmentId?: EnvironmentId): Promise<readonly NamedRepository[]>;
  /** The folders of those that the vault is known to hold. */
  listInitializedFolders(vaultId: VaultId): Promise<readonly string[]>;
  /** Notes that the vault holds it; the first time counts. */
  markInitialized(id: RepositoryId, db?: Db): Promise<void>;
}

export function createRepositoryStore(catalog: Catalog, clock: Clock): RepositoryStore {
  return {
    ensure: async ({ id, vaultId, environmentId, folder, sealedPassword }, tx) => {
      await tx
        .insertInto('repository')
        .values({
          id,
          vault_id: vaultId,
          environment_id: environmentId,
          folder,
          sealed_password: sealedPassword,
          initialized_at: null,
          created_at: clock.now(),
        })
        .onConflict((conflict) => conflict.columns(['vault_id', 'environment_id']).doNothing())
        .execute();
      const row = await tx
        .selectFrom('repository')
        .selectAll()
        .where('vault_id', '=', vaultId)
        .where('environment_id', '=', environmentId)
        .executeTakeFirstOrThrow();
      return toRecord(row);
    },
    get: async (id, db = catalog.db) => {
      const row = await db.selectFrom('repository').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    listInitialized: async (environmentId) => {
      let query = catalog.db
        .selectFrom('repository')
        .innerJoin('environment', 'environment.id', 'repository.environment_id')
        .selectAll('repository')
        .select('environment.name as environment_name')
        .where('repository.initialized_at', 'is not', null);
      if (environmentId !== undefined) query = query.where('repository.environment_id', '=', environmentId);
      const rows = await query.orderBy('environment.name').orderBy('repository.folder').execute();
      return rows.map((row) => ({ ...toRecord(row), environmentName: row.environment_name }));
    },
    listInitializedFolders: async (vaultId) => {
      const rows = await catalog.db
        .selectFrom('repository')
        .select('folder')
        .where('vault_id', '=', vaultId)
        .where('initialized_at', 'is not', null)
        .orderBy('folder')
        .execute();
      return rows.map(({ folder }) => folder);
    },
    markInitialized: async (id, db = catalog.db) => {
      await db
        .updateTable('repository')
        .set({ initialized_at: clock.now() })
        .where('id', '=', id)
        .where('initialized_at', 'is', null)
        .execute();
    },
  };
}

function toRecord(row: RepositoryTable): RepositoryRecord {
  return {
    id: row.id,
    vaultId: row.vault_id,
    environmentId: row.environment_id,
    folder: row.folder,
    sealedPassword: row.sealed_password,
    initializedAtMs: row.initialized_at,
  };
}
