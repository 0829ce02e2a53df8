import { join } from 'node:path';
import { HoldfastError, isHoldfastError } from '@holdfast/base';
import type { Vault, VaultId } from '@holdfast/protocol';
import type { Ids } from '../../catalog/ids.ts';
import type { RecoveryKeys } from '../../secrets/recovery-key.ts';
import type { VaultRecord, VaultStore } from './store.ts';
import { holdsRepository, makeVaultDirectory, readMarker, requireWritable } from './vault-directory.ts';

/** Where backups are kept: for now, one local directory. */
export interface VaultService {
  readonly default: VaultRecord;
  list(): Promise<readonly Vault[]>;
  /** @throws HoldfastError `internal` for an id that the catalog does not have */
  get(id: VaultId): Promise<VaultRecord>;
  locationOf(vault: VaultRecord, folder: string): string;
  recoveryKeyPath(vault: VaultRecord): string;
  /** @throws HoldfastError `secret-unreadable` */
  readRecoveryKey(vault: VaultRecord): Promise<string>;
  /**
   * Sees to it that a task can use the vault: makes its directory if it never held a repository.
   *
   * @param folders of repositories that have to be there
   * @throws HoldfastError `vault-missing` when it held a repository and no longer does, `storage-not-writable`,
   *   `storage-full`, `storage-unreachable`
   */
  requireUsable(vault: VaultRecord, folders: readonly string[]): Promise<void>;
}

/** The repositories of a vault that it is known to hold. */
export type ListInitializedFolders = (id: VaultId) => Promise<readonly string[]>;

export interface VaultServiceOptions {
  readonly store: VaultStore;
  readonly listInitializedFolders: ListInitializedFolders;
  readonly recoveryKeys: RecoveryKeys;
  readonly ids: Ids;
  /** The directory of the default vault. */
  readonly directory: string;
}

export const defaultVaultName = 'default';

/**
 * Takes the configured directory as the default vault: that of an earlier catalog by its marker, a new one otherwise.
 * A directory that cannot be used now does not keep the server from starting.
 */
export async function openVaultService(options: VaultServiceOptions): Promise<VaultService> {
  const { store, recoveryKeys, ids, directory, listInitializedFolders } = options;
  const known = await store.getByName(defaultVaultName);
  const marker = known === undefined ? await readMarkerIfUsable(directory) : undefined;
  const defaultVault = await store.ensure({
    id: known?.id ?? marker?.id ?? ids.vault(),
    name: defaultVaultName,
    location: directory,
    isDefault: true,
  });
  await recoveryKeys.ensure(defaultVaultName);

  async function requireMarker(vault: VaultRecord): Promise<void> {
    const marker = await readMarker(vault.location);
    if (marker === undefined) {
      if ((await listInitializedFolders(vault.id)).length > 0) throw vaultMissing(vault);
      await makeVaultDirectory(vault.location, vault);
    } else if (marker.id !== vault.id) {
      throw otherVault(vault, marker.id);
    }
  }

  async function isMissing(vault: VaultRecord): Promise<boolean> {
    const folders = await listInitializedFolders(vault.id);
    if (folders.length === 0) return false;
    try {
      if ((await readMarker(vault.location))?.id !== vault.id) return true;
      const held = await Promise.all(
        folders.map(async (folder) => await holdsRepository(vault.location, folder)),
      );
      return held.includes(false);
    } catch (error) {
      if (isHoldfastError(error, 'storage-unreachable', 'vault-missing')) return true;
      throw error;
    }
  }

  return {
    default: defaultVault,

    list: async () => {
      const vaults = await store.list();
      return await Promise.all(
        vaults.map(async (vault) => ({ ...vault, status: (await isMissing(vault)) ? 'missing' : 'ok' })),
      );
    },

    get: async (id) => {
      const vault = await store.get(id);
      if (vault !== undefined) return vault;
      throw new HoldfastError('internal', `The catalog has no vault ${id}.`);
    },

    locationOf: (vault, folder) => join(vault.location, folder),
    recoveryKeyPath: (vault) => recoveryKeys.pathOf(vault.name),
    readRecoveryKey: async (vault) => await recoveryKeys.read(vault.name),

    requireUsable: async (vault, folders) => {
      await requireMarker(vault);
      await requireWritable(vault.location);
      for (const folder of folders) {
        if (!(await holdsRepository(vault.location, folder))) throw repositoryGone(vault, folder);
      }
    },
  };
}

async function readMarkerIfUsable(directory: string) {
  try {
    return await readMarker(directory);
  } catch (error) {
    // Told when the vault is used: a server that starts can still restore from other places and show what it knows.
    if (isHoldfastError(error, 'storage-unreachable', 'vault-missing')) return undefined;
    throw error;
  }
}

function vaultMissing(vault: VaultRecord): HoldfastError {
  return new HoldfastError(
    'vault-missing',
    `The vault ${vault.name} held backups, and ${vault.location} does not.`,
    {
      hint: 'Mount its file system, or put the vault back there. Nothing is made anew in its place.',
      context: { vaultId: vault.id, location: vault.location },
    },
  );
}

function otherVault(vault: VaultRecord, foundId: VaultId): HoldfastError {
  return new HoldfastError('vault-missing', `${vault.location} holds another vault than ${vault.name}.`, {
    hint: "Let --vault name the directory that was this server's vault before.",
    context: { vaultId: vault.id, foundId, location: vault.location },
  });
}

function repositoryGone(vault: VaultRecord, folder: string): HoldfastError {
  return new HoldfastError(
    'vault-missing',
    `The vault ${vault.name} held the repository ${folder}, and no longer does.`,
    {
      hint: `Put back ${join(vault.location, folder)}. It is not made anew, so that no backup is taken for one that is there.`,
      context: { vaultId: vault.id, folder },
    },
  );
}
