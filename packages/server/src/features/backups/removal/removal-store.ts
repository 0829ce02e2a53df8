import type { BackupId } from '@holdfast/protocol';
import { sql } from 'kysely';
import type { Catalog, Db } from '../../../catalog/catalog.ts';
import { backupColumns } from '../backup-rows.ts';

/** What a removal that did not come to its end leaves. */
export interface RemovalStore {
  /**
   * A backup that is `deleting` and lost nothing gets back the status that it had: `ready` if it was committed, or
   * `damaged` where something of it was lost since; otherwise `failed` or `cancelled`.
   */
  markKept(id: BackupId, db?: Db): Promise<void>;
  /** One that is `deleting` and lost its manifest at least stays so; nothing will take it for ready any more. */
  markCutOff(id: BackupId, db?: Db): Promise<void>;
}

const cutOff = {
  code: 'interrupted',
  message: 'Its removal was cut off: a part of its snapshots is gone.',
  hint: 'Delete it again.',
};

export function createRemovalStore(catalog: Catalog): RemovalStore {
  return {
    markCutOff: async (id, db = catalog.db) => {
      await db
        .updateTable('backup')
        .set({ manifest_snapshot_id: null, error: backupColumns.error.write(cutOff) })
        .where('id', '=', id)
        .where('status', '=', 'deleting')
        .execute();
    },

    markKept: async (id, db = catalog.db) => {
      await db
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
