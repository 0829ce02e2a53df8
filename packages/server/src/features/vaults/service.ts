import { type Abortable, isHoldfastError, toHoldfastError } from '@holdfast/base';
import type { StorageAccess, Vault, VaultId, VaultUsage } from '@holdfast/protocol';
import { z } from 'zod';
import type { Catalog, Db } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import type { RecoveryKeys } from '../../secrets/recovery-key.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import { type AddVault, addVault, type UpdateVault, updateVault } from './change-vault.ts';
import { DirectoryLooks } from './directory-looks.ts';
import type { ProbeVault, VaultPlace } from './probe-vault.ts';
import { isNearlyFull, type Room, roomIn } from './room.ts';
import type { VaultMeasurement, VaultRecord, VaultStore } from './store.ts';
import {
  holdsRepository,
  makeVaultDirectory,
  readMarker,
  requireWritable,
  spaceOf,
} from './vault-directory.ts';
import {
  inUse,
  noRepository,
  otherVault,
  repositoryGone,
  vaultMissing,
  vaultUnknown,
} from './vault-errors.ts';
import { isBucket, locationIn } from './vault-location.ts';

/**
 * Where backups are kept: directories of the server's machine, which the server looks at itself, and buckets, which movers
 * look at.
 */
export interface VaultService {
  /** New repositories are made in it. */
  getDefault(db?: Db): Promise<VaultRecord>;
  list(): Promise<readonly Vault[]>;
  /** @throws HoldfastError `internal` for an id that the catalog does not have */
  get(id: VaultId): Promise<VaultRecord>;
  /** @throws HoldfastError `vault-unknown` */
  find(idOrName: string): Promise<VaultRecord>;
  locationOf(vault: VaultRecord, folder: string): string;
  /** What reaches a bucket; undefined for a directory. @throws HoldfastError `secret-unreadable` */
  storageOf(vault: VaultRecord): StorageAccess | undefined;
  recoveryKeyPath(vault: VaultRecord): string;
  /** @throws HoldfastError `secret-unreadable` */
  readRecoveryKey(vault: VaultRecord): Promise<string>;
  /**
   * Sees to it that a task can use the vault: makes its marker if it never held a repository. Of a bucket, repositories that
   * have to be there are left to the mover that opens them.
   *
   * @param folders of repositories that have to be there
   * @throws HoldfastError `vault-missing` when it held a repository and no longer does, `storage-not-writable`,
   *   `storage-full`, `storage-unreachable`
   */
  requireUsable(vault: VaultRecord, folders: readonly string[], options?: Abortable): Promise<void>;
  /** @throws HoldfastError as `addVault` */
  add(request: AddVault, options?: Abortable): Promise<Vault>;
  /** @throws HoldfastError as `updateVault` */
  update(idOrName: string, change: UpdateVault, options?: Abortable): Promise<Vault>;
  /**
   * What is in it stays there. How many backups are no longer listed.
   * @throws HoldfastError `vault-unknown`; `vault-in-use` for the default, for one that a job works with, and for one with
   *   backups unless they are to be forgotten
   */
  remove(idOrName: string, options: { readonly forget: boolean }): Promise<number>;
  /**
   * Tries out all that is done there, and that all it held is there.
   * @throws HoldfastError `storage-*`, `vault-missing`
   */
  test(idOrName: string, options?: Abortable): Promise<VaultTest>;
  /** The folders that hold a repository, as its storage shows them now; our own lie right in it, others may lie deeper. */
  findRepositories(vault: VaultRecord, options?: Abortable): Promise<FoundFolders>;
  /** @throws HoldfastError `repository-missing`, `vault-missing`, `storage-*` */
  requireRepository(vault: VaultRecord, folder: string, options?: Abortable): Promise<void>;
  /** Counts what it holds, and remembers how much that was. */
  usage(idOrName: string, options?: Abortable): Promise<VaultUsage>;
  /** What is known of the room in all of them, without counting anything. */
  listRoom(): Promise<readonly VaultRoom[]>;
}

export interface VaultRoom {
  readonly vault: Vault;
  /** Of a directory: of its file system, now. Null where nobody can tell. */
  readonly space: Room | null;
  readonly measured: VaultMeasurement | null;
  /** What is left, by the file system or the vault's capacity; null where neither is known. */
  readonly left: Room | null;
  readonly isNearlyFull: boolean;
}

/** How it is with a vault. */
interface VaultLook {
  readonly isGone: boolean;
  readonly problem: string | null;
  readonly space: Room | null;
}

export interface FoundFolders {
  readonly whole: readonly string[];
  /** What was a repository by what is left of it: without a config, nothing opens it. */
  readonly broken: readonly string[];
}

export interface VaultTest {
  readonly clockAheadMs: number;
  readonly repositories: number;
}

/** A repository that a vault is known to hold. */
export interface HeldRepository {
  readonly folder: string;
  readonly environmentName: string;
}

/** What of the catalog hangs on a vault. */
export interface VaultContents {
  listHeld(id: VaultId): Promise<readonly HeldRepository[]>;
  countBackups(id: VaultId): Promise<number>;
  /** A job that works with it, by its name; undefined where there is none. */
  unfinishedJob(id: VaultId, db: Db): Promise<string | undefined>;
  /** Takes its repositories and their backups out of the catalog. */
  forget(id: VaultId, db: Db): Promise<void>;
}

export interface VaultServiceOptions {
  readonly catalog: Catalog;
  readonly store: VaultStore;
  readonly contents: VaultContents;
  readonly recoveryKeys: RecoveryKeys;
  readonly sealer: Sealer;
  readonly ids: Ids;
  readonly probe: ProbeVault;
  /** The directory of the first vault. */
  readonly directory: string;
  /** No vault is made in here, except for the first. */
  readonly dataDirectory: string;
  /** Refuses a directory that is gone with the server's own container. */
  readonly requireLasting: (path: string) => Promise<void>;
}

/** Of the vault that a server has from its first start. */
export const defaultVaultName = 'default';

const credentialsSchema = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });

/**
 * Takes the configured directory as the first vault: that of an earlier catalog by its marker, a new one otherwise.
 * A directory that cannot be used now does not keep the server from starting.
 */
export async function openVaultService(options: VaultServiceOptions): Promise<VaultService> {
  const { catalog, store, contents, recoveryKeys, sealer, ids, probe, directory } = options;
  const known = await store.getByName(defaultVaultName);
  const marker = known === undefined ? await readMarkerIfUsable(directory) : undefined;
  await store.ensure({
    id: known?.id ?? marker?.id ?? ids.vault(),
    name: defaultVaultName,
    location: directory,
  });
  await recoveryKeys.ensure(defaultVaultName);
  const looks = new DirectoryLooks();

  function storageOf({ id, location, settings, sealedCredentials }: VaultRecord): StorageAccess | undefined {
    const { region, bucketLookup, uploadBytesPerSecond } = settings;
    const limit = uploadBytesPerSecond === undefined ? {} : { uploadBytesPerSecond };
    if (!isBucket(location) || sealedCredentials === null) {
      return uploadBytesPerSecond === undefined ? undefined : limit;
    }
    const credentials = credentialsSchema.parse(JSON.parse(sealer.unseal(sealedCredentials, id)));
    return { s3: { credentials, region, bucketLookup }, ...limit };
  }

  function placeOf(vault: VaultRecord): VaultPlace {
    return { location: vault.location, storage: storageOf(vault) };
  }

  async function foldersOf(vault: VaultRecord): Promise<string[]> {
    return (await contents.listHeld(vault.id)).map(({ folder }) => folder);
  }

  async function find(idOrName: string): Promise<VaultRecord> {
    const vaults = await store.list();
    const vault = vaults.find(({ id, name }) => id === idOrName || name === idOrName);
    if (vault !== undefined) return vault;
    throw vaultUnknown(idOrName);
  }

  async function requireDirectory(vault: VaultRecord, folders: readonly string[]): Promise<void> {
    await looks.look(vault.location, async () => await tryDirectory(vault, folders));
  }

  async function tryDirectory(vault: VaultRecord, folders: readonly string[]): Promise<void> {
    const found = await readMarker(vault.location);
    if (found === undefined) {
      if ((await contents.listHeld(vault.id)).length > 0) throw vaultMissing(vault);
      await makeVaultDirectory(vault.location, vault);
    } else if (found.id !== vault.id) {
      throw otherVault(vault, found.id);
    }
    await requireWritable(vault.location);
    for (const folder of folders) {
      if (!(await holdsRepository(vault.location, folder))) throw repositoryGone(vault, folder);
    }
  }

  /** @throws HoldfastError `vault-missing`, `storage-*` */
  async function requireBucket(
    vault: VaultRecord,
    folders: readonly string[],
    { signal }: Abortable,
  ): Promise<void> {
    const mayMake = (await contents.listHeld(vault.id)).length === 0;
    const marker = { version: 1 as const, id: vault.id, name: vault.name };
    const action = { kind: 'open' as const, marker, mayMake, folders: [...folders] };
    const opened = await probe(placeOf(vault), action, { signal });
    if (opened.marker === null) throw vaultMissing(vault);
    if (opened.marker.id !== vault.id) throw otherVault(vault, opened.marker.id);
    const [gone] = opened.missing;
    if (gone !== undefined) throw repositoryGone(vault, gone);
  }

  /** Remembers how it went: storage that is reached over a network is not looked at for a list. */
  async function checked<T>(vault: VaultRecord, work: () => Promise<T>): Promise<T> {
    try {
      const done = await work();
      await store.markChecked(vault.id, null);
      return done;
    } catch (error) {
      const { code, message, hint } = toHoldfastError(error);
      const isOfStorage = code === 'vault-missing' || code.startsWith('storage-');
      if (isOfStorage)
        await store.markChecked(vault.id, { code, message, ...(hint === undefined ? {} : { hint }) });
      throw error;
    }
  }

  async function requireUsable(
    vault: VaultRecord,
    folders: readonly string[],
    { signal }: Abortable = {},
  ): Promise<void> {
    if (isBucket(vault.location)) {
      if (folders.length === 0) await checked(vault, async () => await requireBucket(vault, [], { signal }));
    } else {
      await requireDirectory(vault, folders);
    }
  }

  async function isMissing(vault: VaultRecord): Promise<boolean> {
    const folders = await foldersOf(vault);
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

  /** What a look at it shows now; of a bucket, what the last one has. */
  async function lookAt(vault: VaultRecord): Promise<VaultLook> {
    const { location, problem } = vault;
    if (isBucket(location)) {
      return { isGone: problem?.code === 'vault-missing', problem: problem?.message ?? null, space: null };
    }
    try {
      return await looks.look(location, async () => {
        const isGone = await isMissing(vault);
        return { isGone, problem: problem?.message ?? null, space: await spaceOf(location) };
      });
    } catch (error) {
      if (!isHoldfastError(error, 'storage-unreachable')) throw error;
      return { isGone: false, problem: error.message, space: null };
    }
  }

  async function describe(vault: VaultRecord): Promise<Vault> {
    return (await describeRoom(vault)).vault;
  }

  async function describeRoom(vault: VaultRecord): Promise<VaultRoom> {
    const { isGone, problem, space } = await lookAt(vault);
    const described = toVault(vault, { isGone, problem });
    const { measured } = vault;
    const left = roomIn({ space, measured, capacityBytes: described.capacityBytes });
    return { vault: described, space, measured, left, isNearlyFull: isNearlyFull(left) };
  }

  function toVault(vault: VaultRecord, { isGone, problem }: Omit<VaultLook, 'space'>): Vault {
    const { id, name, location, isDefault, settings, checkedAtMs, createdAtMs } = vault;
    const { keyId = null, uploadBytesPerSecond = null, capacityBytes = null } = settings;
    const status = isGone ? 'missing' : problem === null ? 'ok' : 'failing';
    const message = problem ?? (isGone ? vaultMissing(vault).message : null);
    return {
      ...{ id, name, location, isDefault, checkedAtMs, createdAtMs, keyId, uploadBytesPerSecond },
      ...{ capacityBytes, status, problem: message },
    };
  }

  const changing = {
    ...options,
    storageOf,
    requireSame: async (vault: VaultRecord, abort: Abortable): Promise<void> => {
      const folders = await foldersOf(vault);
      if (isBucket(vault.location)) await requireBucket(vault, folders, abort);
      else await requireDirectory(vault, folders);
    },
  };

  return {
    getDefault: async (db) => {
      const vault = await store.getDefault(db);
      if (vault !== undefined) return vault;
      throw vaultUnknown(defaultVaultName);
    },

    list: async () => await Promise.all((await store.list()).map(describe)),
    listRoom: async () => await Promise.all((await store.list()).map(describeRoom)),

    get: async (id) => {
      const vault = await store.get(id);
      if (vault !== undefined) return vault;
      throw vaultUnknown(id);
    },

    find,
    locationOf: (vault, folder) => locationIn(vault.location, folder),
    storageOf,
    recoveryKeyPath: (vault) => recoveryKeys.pathOf(vault.name),
    readRecoveryKey: async (vault) => await recoveryKeys.read(vault.name),
    requireUsable,

    add: async (request, abort = {}) => await describe(await addVault(request, changing, abort)),

    update: async (idOrName, change, abort = {}) => {
      const { id } = await updateVault(await find(idOrName), change, changing, abort);
      return await describe(await find(id));
    },

    remove: async (idOrName, { forget }) => {
      const vault = await find(idOrName);
      if (vault.isDefault)
        throw inUse(vault, 'is the default', 'Make another one the default: vault:update NAME --default.');
      const backups = await contents.countBackups(vault.id);
      if (backups > 0 && !forget) {
        throw inUse(
          vault,
          `holds ${backups} backups`,
          'They stay there, but are no longer listed: say so with --forget-backups.',
        );
      }
      await catalog.write(async (tx) => {
        const job = await contents.unfinishedJob(vault.id, tx);
        if (job !== undefined) throw inUse(vault, `is used by the job ${job}`, 'Wait for it, or cancel it.');
        await contents.forget(vault.id, tx);
        await store.remove(vault.id, tx);
      });
      return backups;
    },

    test: async (idOrName, abort = {}) => {
      const vault = await find(idOrName);
      return await checked(vault, async () => {
        const { clockAheadMs } = await probe(placeOf(vault), { kind: 'test' }, abort);
        await changing.requireSame(vault, abort);
        return { clockAheadMs, repositories: (await contents.listHeld(vault.id)).length };
      });
    },

    findRepositories: async (vault, abort = {}) =>
      await checked(vault, async () => await probe(placeOf(vault), { kind: 'list' }, abort)),

    requireRepository: async (vault, folder, abort = {}) => {
      const marker = { version: 1 as const, id: vault.id, name: vault.name };
      const action = { kind: 'open' as const, marker, mayMake: false, folders: [folder] };
      const { missing } = await checked(vault, async () => await probe(placeOf(vault), action, abort));
      if (missing.length > 0) throw noRepository(vault, folder);
    },

    usage: async (idOrName, abort = {}) => {
      const vault = await find(idOrName);
      const held = await contents.listHeld(vault.id);
      const { folders, space } = await checked(
        vault,
        async () => await probe(placeOf(vault), { kind: 'measure' }, abort),
      );
      const sum = (of: (each: (typeof folders)[number]) => number): number =>
        folders.reduce((total, each) => total + of(each), 0);
      const bytes = sum((each) => each.bytes);
      await store.noteMeasured(vault.id, bytes);
      const { capacityBytes } = vault.settings;
      const left = capacityBytes === undefined ? Infinity : Math.max(0, capacityBytes - bytes);
      const freeBytes = Math.min(left, space?.freeBytes ?? Infinity);
      return {
        bytes,
        files: sum((each) => each.files),
        freeBytes: freeBytes === Infinity ? null : freeBytes,
        folders: folders.map((each) => ({
          ...each,
          environmentName: held.find(({ folder }) => folder === each.folder)?.environmentName ?? null,
        })),
      };
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
