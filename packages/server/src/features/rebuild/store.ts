import type { Clock } from '@holdfast/base';
import type { EnvironmentId, FoundBackup, NodeId, RepositoryId, VaultId } from '@holdfast/protocol';
import type { Catalog, Tx } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import { jsonColumn } from '../../catalog/json-column.ts';
import { backupColumns, nextMadeNo, toPartRow } from '../backups/backup-rows.ts';
import { seenSchema } from '../environments/environment-record.ts';
import { jobColumns } from '../jobs/job-rows.ts';
import { componentsOf, type FoundEnvironment } from './found-repository.ts';

/** The vault as its marker names it. */
export interface MarkedVault {
  readonly id: VaultId;
  readonly name: string;
  readonly location: string;
}

export interface KnownRepository {
  readonly id: RepositoryId;
  readonly environmentId: EnvironmentId;
  readonly folder: string;
  readonly sealedPassword: string;
}

export interface BackupPlace {
  readonly environmentId: EnvironmentId;
  readonly repositoryId: RepositoryId;
}

/**
 * Puts into the catalog what a vault holds. Rows that are there stay as they are, with these exceptions, none of which
 * anything refers to: the vault's row, or an environment's, that a server made before the rebuild gets the id that it had
 * in the lost catalog.
 */
export interface RebuildStore {
  /** False where the catalog has repositories of another vault under this name. */
  takeVault(vault: MarkedVault): Promise<boolean>;
  /** Whether the catalog knows repositories that the vault held. */
  hasInitialized(vaultId: VaultId): Promise<boolean>;
  repositoryIn(vaultId: VaultId, folder: string): Promise<KnownRepository | undefined>;
  /** Its folder, where the environment has one in this vault. */
  folderOf(vaultId: VaultId, environmentId: EnvironmentId, tx: Tx): Promise<string | undefined>;
  /** `name-taken`: by an environment of another id that has backups, jobs or settings. */
  takeEnvironment(
    environment: FoundEnvironment,
    nodeId: NodeId,
    tx: Tx,
  ): Promise<'added' | 'known' | 'name-taken'>;
  /** From then on the catalog counts on it. */
  addRepository(vaultId: VaultId, repository: KnownRepository, tx: Tx): Promise<void>;
  /** For a password that does not open with the seal key that there is. */
  replacePassword(id: RepositoryId, sealedPassword: string): Promise<void>;
  /** With parts and log; false where the catalog has it, in whatever status. */
  addBackup(found: FoundBackup, place: BackupPlace, tx: Tx): Promise<boolean>;
}

export interface RebuildStoreOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Of a directory that was not looked at yet. */
const emptyVault = { sealed_credentials: null, settings: '{}', checked_at: null, problem: null };

const seenColumn = jsonColumn('environment.seen', seenSchema);
/** Far from the most values that one statement may have. */
const linesAtOnce = 1000;

export function createRebuildStore({ catalog, clock, ids }: RebuildStoreOptions): RebuildStore {
  return {
    takeVault: async ({ id, name, location }) =>
      await catalog.write(async (tx) => {
        const present = await tx.selectFrom('vault').select('id').where('name', '=', name).executeTakeFirst();
        if (present === undefined) {
          const row = { id, name, location, is_default: 1 as const, created_at: clock.now(), ...emptyVault };
          await tx.insertInto('vault').values(row).execute();
          return true;
        }
        if (present.id !== id && (await hasVaultRepositories(present.id, tx))) return false;
        await tx.updateTable('vault').set({ id, location }).where('id', '=', present.id).execute();
        return true;
      }),

    hasInitialized: async (vaultId) => {
      const row = await catalog.db
        .selectFrom('repository')
        .select('id')
        .where('vault_id', '=', vaultId)
        .where('initialized_at', 'is not', null)
        .executeTakeFirst();
      return row !== undefined;
    },

    repositoryIn: async (vaultId, folder) => {
      const row = await catalog.db
        .selectFrom('repository')
        .selectAll()
        .where('vault_id', '=', vaultId)
        .where('folder', '=', folder)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return { id: row.id, environmentId: row.environment_id, folder, sealedPassword: row.sealed_password };
    },

    folderOf: async (vaultId, environmentId, tx) => {
      const row = await tx
        .selectFrom('repository')
        .select('folder')
        .where('vault_id', '=', vaultId)
        .where('environment_id', '=', environmentId)
        .executeTakeFirst();
      return row?.folder;
    },

    takeEnvironment: async (environment, nodeId, tx) => {
      const { id, name } = environment;
      const rows = tx.selectFrom('environment').select('id');
      if ((await rows.where('id', '=', id).executeTakeFirst()) !== undefined) return 'known';
      const present = await rows.where('node_id', '=', nodeId).where('name', '=', name).executeTakeFirst();
      if (present !== undefined) {
        if (await isReferredTo(present.id, tx)) return 'name-taken';
        // What a server that runs has noted of when it is due: it notes it again.
        await tx.deleteFrom('environment_schedule').where('environment_id', '=', present.id).execute();
        await tx.updateTable('environment').set({ id }).where('id', '=', present.id).execute();
        return 'added';
      }
      await tx
        .insertInto('environment')
        .values({
          id,
          node_id: nodeId,
          project: name,
          name,
          type: environment.type,
          folder: environment.folder,
          seen: seenColumn.write(environment.seen),
          state: 'inactive',
          first_seen_at: environment.firstSeenAtMs,
          last_seen_at: environment.lastSeenAtMs,
        })
        .execute();
      return 'added';
    },

    addRepository: async (vaultId, { id, environmentId, folder, sealedPassword }, tx) => {
      const now = clock.now();
      await tx
        .insertInto('repository')
        .values({
          id,
          vault_id: vaultId,
          environment_id: environmentId,
          folder,
          sealed_password: sealedPassword,
          initialized_at: now,
          created_at: now,
        })
        .execute();
    },

    replacePassword: async (id, sealedPassword) => {
      await catalog.db
        .updateTable('repository')
        .set({ sealed_password: sealedPassword })
        .where('id', '=', id)
        .execute();
    },

    addBackup: async (found, { environmentId, repositoryId }, tx) => {
      const { manifest, manifestSnapshotId, missingParts } = found;
      const jobId = ids.job();
      const { numInsertedOrUpdatedRows: inserted } = await tx
        .insertInto('backup')
        .values({
          id: manifest.backupId,
          environment_id: environmentId,
          repository_id: repositoryId,
          job_id: jobId,
          kind: manifest.kind,
          mode: manifest.mode,
          status: missingParts.length === 0 ? 'ready' : 'damaged',
          description: manifest.description,
          components: backupColumns.components.write(componentsOf(found)),
          created_by: manifest.createdBy,
          created_at: manifest.createdAtMs,
          finished_at: manifest.finishedAtMs,
          expires_at: manifest.expiresAtMs,
          bytes: sum(manifest.parts.map(({ bytes }) => bytes)),
          stored_bytes: sum(manifest.parts.map(({ storedBytes }) => storedBytes)),
          manifest_snapshot_id: manifestSnapshotId,
          error: backupColumns.error.writeNullable(missingParts.length === 0 ? null : damage(missingParts)),
          capture: backupColumns.capture.write(manifest.capture),
          made_no: nextMadeNo(environmentId, tx),
          pin_reason: manifest.pinReason,
          doubt: null,
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirstOrThrow();
      if (inserted !== 1n) return false;
      const parts = manifest.parts.map((part, position) => toPartRow(manifest.backupId, part, position));
      if (parts.length > 0) await tx.insertInto('part').values(parts).execute();
      await addJob(found, { id: jobId, environmentId }, tx);
      return true;
    },
  };
}

/** Of the job that made a backup only its log is left, and when it ran. */
async function addJob(
  { manifest }: FoundBackup,
  { id, environmentId }: { readonly id: ReturnType<Ids['job']>; readonly environmentId: EnvironmentId },
  tx: Tx,
): Promise<void> {
  const { backupId, log, createdBy, createdAtMs, finishedAtMs } = manifest;
  const warnings = log.filter(({ level }) => level === 'warn').map(({ message }) => message);
  await tx
    .insertInto('job')
    .values({
      id,
      kind: 'backup',
      state: warnings.length === 0 ? 'done' : 'warnings',
      environment_id: environmentId,
      backup_id: backupId,
      request: jobColumns.request.write({
        kind: 'backup',
        components: null,
        instance: null,
        allowEmpty: false,
        code: true,
        fallback: 'fail',
      }),
      step: '',
      progress: null,
      error: null,
      warnings: jobColumns.warnings.write(warnings),
      cancel_requested: 0,
      created_by: createdBy,
      created_at: createdAtMs,
      started_at: createdAtMs,
      finished_at: finishedAtMs,
      lease_owner: null,
      lease_until: null,
      epoch: 0,
      repository_id: null,
    })
    .execute();
  const lines = log.map(({ timeMs, level, message }, index) => {
    return { job_id: id, seq: index + 1, time_ms: timeMs, level, message };
  });
  for (let from = 0; from < lines.length; from += linesAtOnce) {
    await tx
      .insertInto('job_log')
      .values(lines.slice(from, from + linesAtOnce))
      .execute();
  }
}

async function hasVaultRepositories(id: VaultId, tx: Tx): Promise<boolean> {
  const row = await tx.selectFrom('repository').select('id').where('vault_id', '=', id).executeTakeFirst();
  return row !== undefined;
}

/** Whether anything in the catalog is of this environment. */
async function isReferredTo(id: EnvironmentId, tx: Tx): Promise<boolean> {
  const tables = ['repository', 'backup', 'job', 'component_setting', 'environment_policy'] as const;
  for (const table of [...tables, 'restore_journal', 'schedule_run'] as const) {
    const row = await tx
      .selectFrom(table)
      .select('environment_id')
      .where('environment_id', '=', id)
      .executeTakeFirst();
    if (row !== undefined) return true;
  }
  return false;
}

function damage(missingParts: readonly string[]) {
  return {
    code: 'blob-missing',
    message: `The repository has lost parts of this backup: ${missingParts.join(', ')}.`,
    hint: 'Its other parts can be restored by `holdfast repository:restore`, or by stock restic.',
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
