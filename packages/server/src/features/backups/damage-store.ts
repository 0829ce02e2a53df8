import type { BackupId, ErrorReportBody, RepositoryId, SealedPart } from '@holdfast/protocol';
import type { Catalog, Tx } from '../../catalog/catalog.ts';
import { backupColumns, readParts } from './backup-rows.ts';

/** A backup that was committed, and is to be in its repository. */
export interface KeptBackup {
  readonly backupId: BackupId;
  readonly parts: readonly Pick<SealedPart, 'name' | 'snapshotId' | 'treeId'>[];
  /** Something of it was lost: what is stored again may make it whole. */
  readonly isDamaged: boolean;
}

/**
 * What repositories have lost of backups:
 *
 *     ready ⇄ damaged
 */
export interface DamageStore {
  /** Those that are `ready`, and those that are `damaged` by a loss; oldest first. */
  listKept(repositoryId: RepositoryId): Promise<readonly KeptBackup[]>;
  /** Only of one that is `ready` or `damaged`. */
  markDamaged(id: BackupId, error: ErrorReportBody, tx: Tx): Promise<void>;
  /** Only of one that is `damaged`. */
  markWhole(id: BackupId, tx: Tx): Promise<void>;
}

export function createDamageStore(catalog: Catalog): DamageStore {
  return {
    listKept: async (repositoryId) => {
      const rows = await catalog.db
        .selectFrom('backup')
        .select(['id', 'status', 'error'])
        .where('repository_id', '=', repositoryId)
        .where('status', 'in', ['ready', 'damaged'])
        .where('manifest_snapshot_id', 'is not', null)
        .orderBy('made_no')
        .execute();
      const kept: KeptBackup[] = [];
      for (const { id, status, error } of rows) {
        const isDamaged = status === 'damaged';
        // What was found by reading contents is for a reading to take back.
        if (isDamaged && backupColumns.error.readNullable(error)?.code !== 'blob-missing') continue;
        const parts = (await readParts(id, catalog.db)).map(({ name, snapshotId, treeId }) => {
          return { name, snapshotId, treeId };
        });
        kept.push({ backupId: id, parts, isDamaged });
      }
      return kept;
    },

    markDamaged: async (id, error, tx) => {
      await tx
        .updateTable('backup')
        .set({ status: 'damaged', error: backupColumns.error.write(error) })
        .where('id', '=', id)
        .where('status', 'in', ['ready', 'damaged'])
        .execute();
    },

    markWhole: async (id, tx) => {
      await tx
        .updateTable('backup')
        .set({ status: 'ready', error: null })
        .where('id', '=', id)
        .where('status', '=', 'damaged')
        .execute();
    },
  };
}
