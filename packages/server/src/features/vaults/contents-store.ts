import type { Catalog } from '../../catalog/catalog.ts';
import { jobColumns } from '../jobs/job-rows.ts';
import type { VaultContents } from './service.ts';

/** What of the catalog hangs on a vault. */
export function createVaultContents(catalog: Catalog): VaultContents {
  return {
    listHeld: async (id) => {
      const rows = await catalog.db
        .selectFrom('repository')
        .innerJoin('environment', 'environment.id', 'repository.environment_id')
        .select(['repository.folder', 'environment.name'])
        .where('repository.vault_id', '=', id)
        .where('repository.initialized_at', 'is not', null)
        .orderBy('repository.folder')
        .execute();
      return rows.map(({ folder, name }) => ({ folder, environmentName: name }));
    },

    countBackups: async (id) => {
      const { count } = await catalog.db
        .selectFrom('backup')
        .innerJoin('repository', 'repository.id', 'backup.repository_id')
        .select((count) => count.fn.countAll<number>().as('count'))
        .where('repository.vault_id', '=', id)
        .where('backup.status', 'in', ['ready', 'damaged', 'deleting'])
        .executeTakeFirstOrThrow();
      return Number(count);
    },

    unfinishedJob: async (id, db) => {
      const row = await db
        .selectFrom('job')
        .leftJoin('backup', 'backup.id', 'job.backup_id')
        .innerJoin('repository', (join) =>
          join.on((on) =>
            on('repository.id', '=', on.fn.coalesce('backup.repository_id', 'job.repository_id')),
          ),
        )
        .select('job.id')
        .where('job.state', 'in', ['queued', 'running'])
        .where('repository.vault_id', '=', id)
        .executeTakeFirst();
      if (row !== undefined) return row.id;
      // There are never more than a few, and what they adopt is no repository of the catalog yet.
      const adopting = await db
        .selectFrom('job')
        .select(['id', 'request'])
        .where('state', 'in', ['queued', 'running'])
        .where('kind', '=', 'adopt')
        .execute();
      return adopting.find(({ request: text }) => {
        const request = jobColumns.request.read(text);
        return request.kind === 'adopt' && request.vaultId === id;
      })?.id;
    },

    forget: async (id, db) => {
      const repositories = db.selectFrom('repository').select('id').where('vault_id', '=', id);
      const backups = db.selectFrom('backup').select('id').where('repository_id', 'in', repositories);
      await db.deleteFrom('part').where('backup_id', 'in', backups).execute();
      await db.deleteFrom('backup').where('repository_id', 'in', repositories).execute();
      await db.deleteFrom('repository').where('vault_id', '=', id).execute();
    },
  };
}
