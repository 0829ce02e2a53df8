import type { Clock } from '@holdfast/base';
import type { BackupId, SealedPart } from '@holdfast/protocol';
import type { Catalog, Tx } from '../catalog/catalog.ts';
import { createIds } from '../catalog/ids.ts';
import type { CommittedBackup } from '../features/backups/backup-record.ts';
import { createBackupStore } from '../features/backups/store.ts';
import type {
  DiscoveredEnvironment,
  EnvironmentRecord,
} from '../features/environments/environment-record.ts';
import { createEnvironmentStore } from '../features/environments/store.ts';
import type { JobRecord } from '../features/jobs/job-record.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { createNodeStore } from '../features/nodes/store.ts';
import { createRepositoryStore } from '../features/repositories/store.ts';
import { createVaultStore } from '../features/vaults/store.ts';

export interface FixtureBackup {
  readonly kind?: 'manual' | 'automated';
  /** In the transaction that makes it. */
  readonly note?: (id: BackupId, tx: Tx) => Promise<void>;
}

/** Rows for tests that need some to stand on, made by the real stores. */
export function createFixtures(catalog: Catalog, clock: Clock) {
  const ids = createIds();
  const jobs = createJobStore({ catalog, clock, ids });
  const backups = createBackupStore({ catalog, clock });
  const environments = createEnvironmentStore({ catalog, clock, ids });

  return {
    /** Environments of these names, active on the node `local`. */
    environments: async (...names: readonly string[]): Promise<readonly EnvironmentRecord[]> => {
      const node = await createNodeStore({ catalog, clock, ids }).ensure('local', 'unix:///none');
      await environments.sync(node.id, names.map(discoveredEnvironment));
      const known = await environments.list();
      return names.map((name) => {
        const found = known.find((environment) => environment.name === name);
        if (found === undefined) throw new Error(`The environment ${name} was not written.`);
        return found;
      });
    },

    /** A queued backup of an environment, with its job. */
    backup: async (
      environment: EnvironmentRecord,
      { kind = 'manual', note = async () => {} }: FixtureBackup = {},
    ): Promise<JobRecord & { readonly backupId: BackupId }> => {
      const vault = await createVaultStore(catalog, clock).ensure({
        id: ids.vault(),
        name: 'default',
        location: '/vault',
      });
      const repositoryId = ids.repository();
      const backupId = ids.backup();
      return await catalog.write(async (tx) => {
        const repository = await createRepositoryStore(catalog, clock).ensure(
          {
            id: repositoryId,
            vaultId: vault.id,
            environmentId: environment.id,
            folder: environment.name,
            sealedPassword: 'sealed',
          },
          tx,
        );
        const job = await jobs.create(
          {
            kind: 'backup',
            environmentId: environment.id,
            backupId,
            request: {
              kind: 'backup',
              components: null,
              instance: null,
              allowEmpty: false,
              code: true,
              fallback: 'fail',
            },
            createdBy: 'tester',
          },
          tx,
        );
        await backups.create(
          {
            id: backupId,
            environmentId: environment.id,
            repositoryId: repository.id,
            jobId: job.id,
            kind,
            mode: 'consistent',
            description: 'a test',
            components: ['web'],
            createdBy: 'tester',
            createdAtMs: clock.now(),
            expiresAtMs: null,
          },
          tx,
        );
        await note(backupId, tx);
        return { ...job, backupId };
      });
    },
  };
}

export function discoveredEnvironment(name: string): DiscoveredEnvironment {
  return {
    name,
    project: name,
    type: 'production',
    folder: `/srv/${name}`,
    seen: {
      components: [
        { name: 'web', instances: [{ containerId: 'c1', name: `${name}_web_1`, state: 'running' }] },
      ],
      mounts: [
        {
          name: 'uploads',
          source: { kind: 'volume', name: 'uploads', driver: 'local', labels: {}, options: {} },
          mountPoints: [{ component: 'web', path: '/uploads', readOnly: false }],
          included: true,
          reason: 'A named volume.',
        },
      ],
      crons: [],
    },
  };
}

export function sealedPart(name: string, bytes: number): SealedPart {
  return {
    name,
    source: { kind: 'volume', name, driver: 'local', labels: { a: 'b' }, options: {} },
    mountPoints: [{ component: 'web', path: `/${name}`, readOnly: false }],
    snapshotId: 'a'.repeat(64),
    treeId: 'b'.repeat(64),
    files: 3,
    bytes,
    storedBytes: Math.floor(bytes / 2),
  };
}

/** What a mover commits of a consistent backup. */
export function committedBackup(parts: readonly SealedPart[], finishedAtMs: number): CommittedBackup {
  const capture = { frozenMs: 85, requestsHeld: null, longestWaitMs: null, unsteadyFiles: 0 };
  return { mode: 'consistent', capture, parts, manifestSnapshotId: 'c'.repeat(64), finishedAtMs };
}
