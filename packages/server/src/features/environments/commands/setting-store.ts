import type { Clock } from '@holdfast/base';
import type { EnvironmentId } from '@holdfast/protocol';
import type { Catalog } from '../../../catalog/catalog.ts';
import { jsonColumn } from '../../../catalog/json-column.ts';
import { type BackupSettings, backupSettingsSchema } from './component-settings.ts';

/** What was set for components, as rows. */
export interface ComponentSettingStore {
  /** By component; of each environment that has any. */
  all(): Promise<ReadonlyMap<EnvironmentId, ReadonlyMap<string, BackupSettings>>>;
  /** Changes what was set in one step: nobody else's change in between is lost. */
  change(
    environmentId: EnvironmentId,
    component: string,
    change: (settings: BackupSettings) => BackupSettings,
  ): Promise<void>;
}

const backupsColumn = jsonColumn('component_setting.backups', backupSettingsSchema);

export function createComponentSettingStore(catalog: Catalog, clock: Clock): ComponentSettingStore {
  return {
    all: async () => {
      const rows = await catalog.db.selectFrom('component_setting').selectAll().execute();
      const byEnvironment = Map.groupBy(rows, (row) => row.environment_id);
      return new Map(
        [...byEnvironment].map(([id, own]) => [
          id,
          new Map(own.map((row) => [row.component, backupsColumn.read(row.backups)])),
        ]),
      );
    },

    change: async (environmentId, component, change) => {
      await catalog.write(async (tx) => {
        const row = await tx
          .selectFrom('component_setting')
          .select('backups')
          .where('environment_id', '=', environmentId)
          .where('component', '=', component)
          .$if(catalog.dialect === 'postgresql', (query) => query.forUpdate())
          .executeTakeFirst();
        const backups = backupsColumn.write(change(row === undefined ? {} : backupsColumn.read(row.backups)));
        const values = { backups, updated_at: clock.now() };
        await tx
          .insertInto('component_setting')
          .values({ environment_id: environmentId, component, ...values })
          .onConflict((conflict) => conflict.columns(['environment_id', 'component']).doUpdateSet(values))
          .execute();
      });
    },
  };
}
