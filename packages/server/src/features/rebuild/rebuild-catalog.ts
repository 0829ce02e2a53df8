import { randomBytes } from 'node:crypto';
import { HoldfastError, isHoldfastError } from '@holdfast/base';
import type { EnvironmentId, FoundBackup, NodeId, RepositoryAccess, VaultReport } from '@holdfast/protocol';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import { environmentOf } from './found-repository.ts';
import type { ReadRepositories, ReadRepository } from './read-repository.ts';
import type { KnownRepository, MarkedVault, RebuildStore } from './store.ts';

export interface RebuildOptions {
  readonly catalog: Catalog;
  readonly store: RebuildStore;
  readonly readRepositories: ReadRepositories;
  readonly sealer: Sealer;
  readonly ids: Ids;
  readonly vault: Pick<MarkedVault, 'id'>;
  /** Where the repository in a folder of the vault is, and what reaches it. */
  readonly accessTo: (folder: string) => Omit<RepositoryAccess, 'password'>;
  readonly folders: Pick<Extract<VaultReport, { kind: 'listed' }>, 'whole' | 'broken'>;
  /** Where the environments are from now on. */
  readonly nodeId: NodeId;
  readonly recoveryKey: string;
  /** Called once the recovery key has opened a repository, before anything of it is taken in. */
  readonly onKeyProven: () => Promise<void>;
  /** Called after each repository, and for what could not be done as it should be. */
  readonly onTaken: (taken: TakenRepository) => void;
  readonly onWarning: (warning: string) => void;
  readonly signal: AbortSignal;
}

/** What became of a repository. */
export interface TakenRepository {
  readonly folder: string;
  /** Null where it holds no backup, so that nobody can tell whose it is: then nothing was taken in. */
  readonly environmentId: EnvironmentId | null;
  readonly environmentName: string | null;
  /** Backups that are in the catalog since now, and that were before. */
  readonly added: number;
  readonly known: number;
}

export interface RebuildResult {
  readonly repositories: readonly TakenRepository[];
  readonly warnings: readonly string[];
}

const backupsAtOnce = 50;

/**
 * Takes the repositories of a vault into the catalog, one after the other. For each:
 *
 *     read (the vault is as it was) → rows of environment and repository → the own password becomes a key → rows of backups
 *
 * Cut off between any two, what is there is true, no backup is offered that does not open, and running it again goes on.
 * One that fails does not keep the others.
 *
 * @throws HoldfastError what the first one failed by, where all did; `interrupted`
 */
export async function rebuildCatalog(options: RebuildOptions): Promise<RebuildResult> {
  const { folders, accessTo, signal } = options;
  const repositories: TakenRepository[] = [];
  const warnings: string[] = [];
  const failures: HoldfastError[] = [];
  const warn = (folder: string, text: string): void => {
    const warning = `${folder}: ${text}`;
    warnings.push(warning);
    options.onWarning(warning);
  };
  for (const folder of folders.broken) {
    const failure = noConfig(accessTo(folder).location);
    failures.push(failure);
    warn(folder, toldAsWarning(failure));
  }
  for (const folder of folders.whole) {
    try {
      const taken = await takeInRepository(options, folder, (text) => warn(folder, text));
      repositories.push(taken);
      options.onTaken(taken);
    } catch (error) {
      if (signal.aborted || !isOfOneRepository(error)) throw error;
      failures.push(error);
      warn(folder, toldAsWarning(error));
    }
  }
  const [failure] = failures;
  if (failure !== undefined && repositories.length === 0) throw failure;
  return { repositories, warnings };
}

/** What of it is needed for one repository. */
export type TakeInOptions = Omit<RebuildOptions, 'folders' | 'onTaken' | 'onWarning'>;

/**
 * The same for one repository.
 * @throws HoldfastError what `readRepositories` throws; `repository-exists` where the catalog has something in its place
 */
export async function takeInRepository(
  options: TakeInOptions,
  folder: string,
  warn: (text: string) => void,
): Promise<TakenRepository> {
  const { store, vault, recoveryKey, signal } = options;
  const known = await store.repositoryIn(vault.id, folder);
  const { row, password } = rowFor(options, folder, known);
  await using read = await options.readRepositories(
    { repository: { ...options.accessTo(folder), password: recoveryKey }, ownPassword: password },
    { signal },
  );
  await options.onKeyProven();
  for (const warning of read.warnings) warn(warning);
  const environment = await takeRepository(options, read, { row, known });
  if (environment === undefined) {
    warn('It holds no backup, so nobody can tell whose it is. It stays as it is.');
    return { folder, environmentId: null, environmentName: null, added: 0, known: 0 };
  }
  await read.commit({ signal });
  const own = read.backups.filter((each) => belongsTo(each, environment.id, warn));
  const added = await addBackups(options, own, { environmentId: environment.id, repositoryId: row.id });
  for (const { manifest, missingParts } of own) {
    if (missingParts.length > 0) warn(`The backup ${manifest.backupId} has lost ${missingParts.join(', ')}.`);
  }
  return {
    folder,
    environmentId: environment.id,
    environmentName: environment.name,
    added,
    known: own.length - added,
  };
}

interface OwnRow {
  readonly row: Omit<KnownRepository, 'environmentId'>;
  readonly password: string;
}

/** The password of one that the catalog knows stays, unless nobody can read it any more. */
function rowFor({ sealer, ids }: TakeInOptions, folder: string, known: KnownRepository | undefined): OwnRow {
  if (known !== undefined) {
    try {
      return { row: known, password: sealer.unseal(known.sealedPassword, known.id) };
    } catch (error) {
      if (!isHoldfastError(error, 'secret-unreadable')) throw error;
    }
  }
  const id = known?.id ?? ids.repository();
  const password = randomBytes(32).toString('hex');
  return { row: { id, folder, sealedPassword: sealer.seal(password, id) }, password };
}

/** Undefined where the repository holds no backup. */
async function takeRepository(
  { catalog, store, vault, nodeId }: TakeInOptions,
  { backups }: ReadRepository,
  { row, known }: { readonly row: OwnRow['row']; readonly known: KnownRepository | undefined },
): Promise<{ readonly id: EnvironmentId; readonly name: string } | undefined> {
  const [first, ...others] = backups;
  if (first === undefined) return undefined;
  const environment = environmentOf([first, ...others]);
  const { name } = environment;
  if (known !== undefined) {
    if (row.sealedPassword !== known.sealedPassword) await store.replacePassword(row.id, row.sealedPassword);
    return { id: known.environmentId, name };
  }
  return await catalog.write(async (tx) => {
    const taken = await store.takeEnvironment(environment, nodeId, tx);
    if (taken === 'name-taken') throw nameTaken(name);
    const other = await store.folderOf(vault.id, environment.id, tx);
    if (other !== undefined) throw secondRepository(name, other);
    await store.addRepository(vault.id, { ...row, environmentId: environment.id }, tx);
    return { id: environment.id, name };
  });
}

function belongsTo(
  { manifest: { backupId, environment } }: FoundBackup,
  environmentId: EnvironmentId,
  warn: (text: string) => void,
): boolean {
  if (environment.id === environmentId) return true;
  warn(`The backup ${backupId} is of another environment, ${environment.name}: it was not taken in.`);
  return false;
}

/** In the order of their times; how many the catalog did not have. */
export async function addBackups(
  { catalog, store, signal }: Pick<RebuildOptions, 'catalog' | 'store' | 'signal'>,
  backups: readonly FoundBackup[],
  place: Parameters<RebuildStore['addBackup']>[1],
): Promise<number> {
  const ordered = backups.toSorted((a, b) => a.manifest.createdAtMs - b.manifest.createdAtMs);
  let added = 0;
  for (let from = 0; from < backups.length; from += backupsAtOnce) {
    signal.throwIfAborted();
    added += await catalog.write(async (tx) => {
      let count = 0;
      for (const backup of ordered.slice(from, from + backupsAtOnce)) {
        if (await store.addBackup(backup, place, tx)) count += 1;
      }
      return count;
    });
  }
  return added;
}

/** A failure of the catalog is one of the whole; so is a defect. */
function isOfOneRepository(error: unknown): error is HoldfastError {
  return (
    error instanceof HoldfastError &&
    !isHoldfastError(error, 'catalog-unreachable', 'catalog-damaged', 'secret-unreadable')
  );
}

function toldAsWarning({ message, hint }: HoldfastError): string {
  return `It was not taken in. ${message}${hint === undefined ? '' : ` ${hint}`}`;
}

function noConfig(location: string): HoldfastError {
  return new HoldfastError(
    'repository-damaged',
    `${location} was a repository, and has no config any more.`,
    {
      hint: 'Put back its file "config" from another copy of the vault.',
      context: { location },
    },
  );
}

function nameTaken(name: string): HoldfastError {
  return new HoldfastError(
    'repository-exists',
    `The catalog has an environment ${name} already, with backups, jobs or settings of its own.`,
    {
      hint: 'Run it on a new data directory to have what this repository holds, or open it by `holdfast repository:restore`.',
      context: { environmentName: name },
    },
  );
}

function secondRepository(name: string, folder: string): HoldfastError {
  return new HoldfastError(
    'repository-exists',
    `The environment ${name} has another repository in this vault, ${folder}.`,
    { hint: 'If this one is a copy, move it out of the vault.', context: { environmentName: name, folder } },
  );
}
