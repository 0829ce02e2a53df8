import type { BackupId } from '@holdfast/protocol';
import { sql } from 'kysely';
import type { Catalog } from '../../../catalog/catalog.ts';

/** What a removal that did not begin changes back. */
export interface RemovalStore {
  /**
   * A backup that is `deleting` and lost nothing gets back the status that it had: `ready` if it was committed, or
   * `damaged` where something of it was lost since; otherwise `failed` or `cancelled`.
   */
  markKept(id: BackupId): Promise<void>;
}

export function createRemovalStore(catalog: Catalog): RemovalStore {
  return {
    markKept: async (id) => {
      await catalog.db
        .updateTable('backup')
        .set((row) => ({
          status: row
            .case()
            .when(row.and([row('manifest_snapshot_id', 'is not', null), row('error', 'is not', null)]))
            .then(sql.lit<'damaged'>('damaged'))
            .when('manifest_snapshot_id', 'is not', null)
            .then(sql.lit<'ready'>('ready'))
            .when('error', 'is not', null)
            .then(sql.lit<'failed'>('failed'))
            .else(sql.lit<'cancelled'>('cancelled'))
            .end(),
        }))
        .where('id', '=', id)
        .where('status', '=', 'deleting')
        .execute();
    },
  };
}
