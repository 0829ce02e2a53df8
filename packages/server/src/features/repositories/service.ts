import { randomBytes } from 'node:crypto';
import { HoldfastError } from '@holdfast/base';
import type {
  EnvironmentId,
  Repository,
  RepositoryAccess,
  RepositoryId,
  StorageAccess,
  VaultId,
} from '@holdfast/protocol';
import type { Tx } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import type { VaultService } from '../vaults/service.ts';
import type { RepositoryRecord, RepositoryStore } from './store.ts';

/** What a mover's task needs of a repository. Never logged, never answered. */
export interface OpenedRepository {
  readonly vaultId: VaultId;
  readonly repository: RepositoryAccess;
  /** The vault's recovery key, which a new repository gets as its second. */
  readonly recoveryPassword: string;
  /** True from the first time that the vault held it: from then on it is never made anew. */
  readonly isInitialized: boolean;
}

export interface RepositoryDescription {
  readonly vaultId: VaultId;
  readonly location: string;
  /** On the server's machine. */
  readonly passwordFile: string;
}

export interface RepositoryService {
  /** The environment's repository in the default vault; its row, with a password of its own, is made at first. */
  ensureFor(
    environment: { readonly id: EnvironmentId; readonly name: string },
    tx: Tx,
  ): Promise<RepositoryId>;
  /** Those that vaults hold: all, or an environment's. */
  list(environmentId?: EnvironmentId): Promise<readonly Repository[]>;
  describe(id: RepositoryId): Promise<RepositoryDescription>;
  /**
   * Opens the vault for a task.
   * @throws HoldfastError `vault-missing`, `storage-not-writable`, `storage-full`, `secret-unreadable`
   */
  access(id: RepositoryId): Promise<OpenedRepository>;
  /** Notes that the vault holds the repository now. */
  markInitialized(id: RepositoryId): Promise<void>;
}

export interface RepositoryServiceOptions {
  readonly store: RepositoryStore;
  readonly vaults: VaultService;
  readonly sealer: Sealer;
  readonly ids: Ids;
  /** How many tasks may send to a vault at once: each gets its share of the vault's limit. */
  readonly concurrency: number;
  /** For metadata of repositories that are reached over a network. */
  readonly cacheDirectory: string;
}

export function createRepositoryService(options: RepositoryServiceOptions): RepositoryService {
  const { store, vaults, sealer, ids, concurrency, cacheDirectory } = options;

  async function get(id: RepositoryId): Promise<RepositoryRecord> {
    const repository = await store.get(id);
    if (repository !== undefined) return repository;
    throw new HoldfastError('internal', `The catalog has no repository ${id}.`);
  }

  return {
    ensureFor: async (environment, tx) => {
      const id = ids.repository();
      const repository = await store.ensure(
        {
          id,
          vaultId: (await vaults.getDefault(tx)).id,
          environmentId: environment.id,
          folder: folderName(environment.name, id),
          sealedPassword: sealer.seal(randomBytes(32).toString('hex'), id),
        },
        tx,
      );
      return repository.id;
    },

    list: async (environmentId) =>
      await Promise.all(
        (await store.listInitialized(environmentId)).map(async (repository) => {
          const vault = await vaults.get(repository.vaultId);
          return {
            id: repository.id,
            environmentId: repository.environmentId,
            environmentName: repository.environmentName,
            vaultId: vault.id,
            location: vaults.locationOf(vault, repository.folder),
            passwordFile: vaults.recoveryKeyPath(vault),
          };
        }),
      ),

    describe: async (id) => {
      const { vaultId, folder } = await get(id);
      const vault = await vaults.get(vaultId);
      return {
        vaultId,
        location: vaults.locationOf(vault, folder),
        passwordFile: vaults.recoveryKeyPath(vault),
      };
    },

    access: async (id) => {
      const { vaultId, folder, sealedPassword, initializedAtMs } = await get(id);
      const vault = await vaults.get(vaultId);
      const isInitialized = initializedAtMs !== null;
      await vaults.requireUsable(vault, isInitialized ? [folder] : []);
      return {
        vaultId,
        repository: {
          location: vaults.locationOf(vault, folder),
          password: sealer.unseal(sealedPassword, id),
          storage: shareOf(vaults.storageOf(vault), concurrency),
          cacheDirectory,
        },
        recoveryPassword: await vaults.readRecoveryKey(vault),
        isInitialized,
      };
    },

    markInitialized: async (id) => {
      await store.markInitialized(id);
    },
  };
}

/**
 * Movers know nothing of each other: so that all of them together keep to the limit, whatever they do, each keeps to its part of it.
 */
export function shareOf(storage: StorageAccess | undefined, concurrency: number): StorageAccess | undefined {
  if (storage?.uploadBytesPerSecond === undefined) return storage;
  const share = Math.max(1, Math.floor(storage.uploadBytesPerSecond / concurrency));
  return { ...storage, uploadBytesPerSecond: share };
}

/** One that says whose it is to someone who has only the vault. */
function folderName(environmentName: string, id: RepositoryId): string {
  const readable = environmentName
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
  return `${readable}-${id.slice('rep_'.length, 'rep_'.length + 8)}`.replace(/^-+/, '');
}
