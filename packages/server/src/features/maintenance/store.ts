import type { Clock } from '@holdfast/base';
import type { RepositoryId, VaultId } from '@holdfast/protocol';
import type { Catalog, Tx } from '../../catalog/catalog.ts';

/** When a repository that a vault holds was looked after. */
export interface RepositoryCare {
  readonly repositoryId: RepositoryId;
  readonly initializedAtMs: number;
  /** When the last inspection ended, however, but with its server; null before the first. */
  readonly inspectedAtMs: number | null;
  readonly prunedAtMs: number | null;
  /** Since when one is wanted; null where none is. */
  readonly pruneWantedAtMs: number | null;
}

export interface CareStore {
  /** Of all repositories that vaults hold, or of those in one vault. */
  list(vaultId?: VaultId): Promise<readonly RepositoryCare[]>;
  get(id: RepositoryId, tx: Tx): Promise<RepositoryCare | undefined>;
  noteInspected(id: RepositoryId, tx: Tx): Promise<void>;
  /**
   * @param doneSinceMs what was wanted before this moment is done; null where the prune did not come to its end
   */
  notePruned(id: RepositoryId, doneSinceMs: number | null, tx: Tx): Promise<void>;
  wantPrune(id: RepositoryId, tx: Tx): Promise<void>;
}

export function createCareStore(catalog: Catalog, clock: Clock): CareStore {
  /** A repository that is gone from the catalog has nothing to be noted. */
  async function ensure(id: RepositoryId, tx: Tx): Promise<void> {
    await tx
      .insertInto('repository_care')
      .columns(['repository_id'])
      .expression(tx.selectFrom('repository').select('id').where('id', '=', id))
      .onConflict((conflict) => conflict.column('repository_id').doNothing())
      .execute();
  }

  function select(db: Catalog['db']) {
    return db
      .selectFrom('repository')
      .leftJoin('repository_care', 'repository_care.repository_id', 'repository.id')
      .select(['repository.id', 'repository.initialized_at', 'inspected_at', 'pruned_at', 'prune_wanted_at'])
      .where('repository.initialized_at', 'is not', null);
  }

  return {
    list: async (vaultId) => {
      let query = select(catalog.db);
      if (vaultId !== undefined) query = query.where('repository.vault_id', '=', vaultId);
      return (await query.orderBy('repository.id').execute()).map(toCare);
    },

    get: async (id, tx) => {
      const row = await select(tx).where('repository.id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toCare(row);
    },

    noteInspected: async (id, tx) => {
      await ensure(id, tx);
      await tx
        .updateTable('repository_care')
        .set({ inspected_at: clock.now() })
        .where('repository_id', '=', id)
        .execute();
    },

    notePruned: async (id, doneSinceMs, tx) => {
      await ensure(id, tx);
      const ofIt = tx.updateTable('repository_care').where('repository_id', '=', id);
      await ofIt.set({ pruned_at: clock.now() }).execute();
      if (doneSinceMs === null) return;
      await ofIt.set({ prune_wanted_at: null }).where('prune_wanted_at', '<=', doneSinceMs).execute();
    },

    wantPrune: async (id, tx) => {
      await ensure(id, tx);
      await tx
        .updateTable('repository_care')
        .set({ prune_wanted_at: clock.now() })
        .where('repository_id', '=', id)
        .execute();
    },
  };
}

interface CareRow {
  readonly id: RepositoryId;
  readonly initialized_at: number | null;
  readonly inspected_at: number | null;
  readonly pruned_at: number | null;
  readonly prune_wanted_at: number | null;
}

function toCare(row: CareRow): RepositoryCare {
  return {
    repositoryId: row.id,
    initializedAtMs: row.initialized_at ?? 0,
    inspectedAtMs: row.inspected_at,
    prunedAtMs: row.pruned_at,
    pruneWantedAtMs: row.prune_wanted_at,
  };
}
