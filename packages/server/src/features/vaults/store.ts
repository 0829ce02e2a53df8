import type { Clock } from '@holdfast/base';
import { type ErrorReportBody, errorReportSchema, type VaultId } from '@holdfast/protocol';
import { z } from 'zod';
import type { Catalog, Db, Tx } from '../../catalog/catalog.ts';
import { jsonColumn } from '../../catalog/json-column.ts';
import type { VaultTable } from '../../catalog/tables.ts';

/** What is wrong with a vault, from when it is first seen until it is over. */
export type VaultAlarm = 'missing' | 'nearly-full';

const settingsSchema = z.object({
  keyId: z.string().optional(),
  region: z.string().optional(),
  bucketLookup: z.enum(['auto', 'dns', 'path']).optional(),
  uploadBytesPerSecond: z.int().positive().optional(),
  capacityBytes: z.int().positive().optional(),
});

export type VaultSettings = z.infer<typeof settingsSchema>;

export interface VaultRecord {
  readonly id: VaultId;
  readonly name: string;
  /** As stock restic takes it. */
  readonly location: string;
  readonly isDefault: boolean;
  readonly settings: VaultSettings;
  /** Of a bucket. */
  readonly sealedCredentials: string | null;
  readonly checkedAtMs: number | null;
  /** What was wrong when it was last tried. */
  readonly problem: ErrorReportBody | null;
  /** What it held when that was last counted. */
  readonly measured: VaultMeasurement | null;
  readonly createdAtMs: number;
}

export interface VaultMeasurement {
  readonly bytes: number;
  readonly atMs: number;
}

export type NewVault = Pick<
  VaultRecord,
  'id' | 'name' | 'location' | 'isDefault' | 'settings' | 'sealedCredentials'
>;
export type VaultChange = Partial<Pick<VaultRecord, 'location' | 'settings' | 'sealedCredentials'>>;

export interface VaultStore {
  /** Makes the vault of this name; one that exists keeps its id and gets this location. */
  ensure(vault: Pick<NewVault, 'id' | 'name' | 'location'>): Promise<VaultRecord>;
  /** False where a vault has this name, id or location. */
  add(vault: NewVault): Promise<boolean>;
  change(id: VaultId, change: VaultChange): Promise<void>;
  /** New repositories are made in it from then on. */
  makeDefault(id: VaultId): Promise<void>;
  /** What came of trying it; null: it can be used. */
  markChecked(id: VaultId, problem: ErrorReportBody | null, db?: Db): Promise<void>;
  /** Somebody has counted what it holds. */
  noteMeasured(id: VaultId, bytes: number): Promise<void>;
  /** False where the alarm was on already. */
  beginAlarm(id: VaultId, alarm: VaultAlarm, sinceMs: number, tx: Tx): Promise<boolean>;
  endAlarm(id: VaultId, alarm: VaultAlarm): Promise<void>;
  remove(id: VaultId, tx: Tx): Promise<void>;
  /** By name. */
  list(): Promise<readonly VaultRecord[]>;
  get(id: VaultId, db?: Db): Promise<VaultRecord | undefined>;
  getByName(name: string): Promise<VaultRecord | undefined>;
  getDefault(db?: Db): Promise<VaultRecord | undefined>;
}

const alarmColumns = { missing: 'missing_since', 'nearly-full': 'nearly_full_since' } as const;

const settingsColumn = jsonColumn('vault.settings', settingsSchema);
const problemColumn = jsonColumn('vault.problem', errorReportSchema);

export function createVaultStore(catalog: Catalog, clock: Clock): VaultStore {
  const select = (db: Db = catalog.db) => db.selectFrom('vault').selectAll();

  return {
    ensure: async ({ id, name, location }) =>
      await catalog.write(async (tx) => {
        const isDefault = (await select(tx).where('is_default', '=', 1).executeTakeFirst()) === undefined;
        const vault = { id, name, location, isDefault, settings: {}, sealedCredentials: null };
        // Of several servers that start at once, one makes it: whatever conflicts, the name tells.
        await tx
          .insertInto('vault')
          .values(toRow(vault, clock.now()))
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        await tx.updateTable('vault').set({ location }).where('name', '=', name).execute();
        return toRecord(await select(tx).where('name', '=', name).executeTakeFirstOrThrow());
      }),

    add: async (vault) =>
      await catalog.write(async (tx) => {
        const { id, name, location, isDefault } = vault;
        const other = await select(tx)
          .where((is) => is.or([is('name', '=', name), is('id', '=', id), is('location', '=', location)]))
          .executeTakeFirst();
        if (other !== undefined) return false;
        if (isDefault) await tx.updateTable('vault').set({ is_default: 0 }).execute();
        await tx.insertInto('vault').values(toRow(vault, clock.now())).execute();
        return true;
      }),

    change: async (id, { location, settings, sealedCredentials }) => {
      const change = {
        ...(location === undefined ? {} : { location }),
        ...(settings === undefined ? {} : { settings: settingsColumn.write(settings) }),
        ...(sealedCredentials === undefined ? {} : { sealed_credentials: sealedCredentials }),
      };
      if (Object.keys(change).length === 0) return;
      await catalog.db.updateTable('vault').set(change).where('id', '=', id).execute();
    },

    makeDefault: async (id) =>
      await catalog.write(async (tx) => {
        await tx.updateTable('vault').set({ is_default: 0 }).where('id', '!=', id).execute();
        await tx.updateTable('vault').set({ is_default: 1 }).where('id', '=', id).execute();
      }),

    markChecked: async (id, problem, db = catalog.db) => {
      await db
        .updateTable('vault')
        .set({ checked_at: clock.now(), problem: problemColumn.writeNullable(problem) })
        .where('id', '=', id)
        .execute();
    },

    noteMeasured: async (id, bytes) => {
      await catalog.db
        .updateTable('vault')
        .set({ measured_bytes: bytes, measured_at: clock.now() })
        .where('id', '=', id)
        .execute();
    },

    beginAlarm: async (id, alarm, sinceMs, tx) => {
      const column = alarmColumns[alarm];
      const { numUpdatedRows } = await tx
        .updateTable('vault')
        .set({ [column]: sinceMs })
        .where('id', '=', id)
        .where(column, 'is', null)
        .executeTakeFirstOrThrow();
      return numUpdatedRows === 1n;
    },

    endAlarm: async (id, alarm) => {
      const column = alarmColumns[alarm];
      const set = catalog.db.updateTable('vault').set({ [column]: null });
      await set.where('id', '=', id).where(column, 'is not', null).execute();
    },

    remove: async (id, tx) => {
      await tx.deleteFrom('vault').where('id', '=', id).execute();
    },

    list: async () => (await select().orderBy('name').execute()).map(toRecord),
    get: async (id, db) => toRecordIfThere(await select(db).where('id', '=', id).executeTakeFirst()),
    getByName: async (name) => toRecordIfThere(await select().where('name', '=', name).executeTakeFirst()),
    getDefault: async (db) =>
      toRecordIfThere(await select(db).where('is_default', '=', 1).executeTakeFirst()),
  };
}

function toRow(vault: NewVault, nowMs: number): VaultTable {
  return {
    id: vault.id,
    name: vault.name,
    location: vault.location,
    is_default: vault.isDefault ? 1 : 0,
    created_at: nowMs,
    sealed_credentials: vault.sealedCredentials,
    settings: settingsColumn.write(vault.settings),
    checked_at: null,
    problem: null,
    measured_bytes: null,
    measured_at: null,
    missing_since: null,
    nearly_full_since: null,
  };
}

function toRecordIfThere(row: VaultTable | undefined): VaultRecord | undefined {
  return row === undefined ? undefined : toRecord(row);
}

function toRecord(row: VaultTable): VaultRecord {
  const { measured_bytes: bytes, measured_at: atMs } = row;
  return {
    id: row.id,
    name: row.name,
    location: row.location,
    isDefault: row.is_default === 1,
    settings: settingsColumn.read(row.settings),
    sealedCredentials: row.sealed_credentials,
    checkedAtMs: row.checked_at,
    problem: problemColumn.readNullable(row.problem),
    measured: bytes === null || atMs === null ? null : { bytes, atMs },
    createdAtMs: row.created_at,
  };
}
