import { randomBytes } from 'node:crypto';
import { type Abortable, HoldfastError } from '@holdfast/base';
import { isProjectName } from '@holdfast/docker';
import type { EnvironmentId, NodeId } from '@holdfast/protocol';
import type { Catalog, Tx } from '../../../catalog/catalog.ts';
import type { Sealer } from '../../../secrets/sealer.ts';
import type { JobRecord, JobRequest } from '../../jobs/job-record.ts';
import type { JobService } from '../../jobs/service.ts';
import type { VaultService } from '../../vaults/service.ts';
import type { KnownRepository, RebuildStore } from '../store.ts';
import {
  alreadyAdopted,
  environmentInTheWay,
  folderBusy,
  folderRefused,
  needsPassword,
  notAProject,
  otherRepository,
} from './adoption-errors.ts';
import type { AdoptionStore, CandidateEnvironment } from './adoption-store.ts';

export interface AdoptionRequest {
  /** Within the vault. */
  readonly folder: string;
  /** Undefined: that which the catalog has for a repository that was adopted before. */
  readonly password: string | undefined;
  /** Id or name; undefined: a new one, called like the folder. */
  readonly environment: string | undefined;
  readonly isDryRun: boolean;
  readonly createdBy: string;
}

export interface QueuedAdoptions {
  readonly jobs: readonly JobRecord[];
  /** Folders that were repositories. */
  readonly broken: readonly string[];
}

/** Takes in repositories that lie in a vault already. What is asked for is checked and queued here; the work is a job's. */
export interface AdoptionService {
  /**
   * One that stock restic has made.
   * @throws HoldfastError `vault-unknown`, `vault-missing`, `storage-*`, `repository-missing`, `repository-exists`,
   *   `environment-exists`, `environment-ambiguous`, `environment-busy`, `usage-invalid`
   */
  adopt(vault: string, request: AdoptionRequest, options?: Abortable): Promise<JobRecord>;
  /**
   * Those of the vault that another server has made, and this catalog does not know: a job for each.
   * @throws HoldfastError `vault-unknown`, `vault-missing`, `storage-*`
   */
  adoptOwn(
    vault: string,
    request: Pick<AdoptionRequest, 'isDryRun' | 'createdBy'>,
    options?: Abortable,
  ): Promise<QueuedAdoptions>;
}

export interface AdoptionServiceOptions {
  readonly catalog: Catalog;
  readonly store: AdoptionStore;
  readonly repositories: Pick<RebuildStore, 'repositoryIn'>;
  readonly jobs: Pick<JobService, 'tryEnqueue' | 'enqueue' | 'wake'>;
  readonly vaults: Pick<VaultService, 'find' | 'findRepositories' | 'requireRepository'>;
  readonly sealer: Sealer;
  /** Where the environments are from then on. */
  readonly localNode: () => Promise<NodeId>;
}

export function createAdoptionService(options: AdoptionServiceOptions): AdoptionService {
  const { catalog, store, repositories, jobs, vaults, sealer, localNode } = options;

  /** What opens it, sealed for the row of the environment. */
  function opensWith(
    given: string | undefined,
    known: KnownRepository | undefined,
    environmentId: EnvironmentId,
  ): Extract<JobRequest, { kind: 'adopt' }>['opens'] {
    const own =
      known === undefined ? randomBytes(32).toString('hex') : sealer.unseal(known.sealedPassword, known.id);
    const password = given ?? (known === undefined ? undefined : own);
    if (password === undefined) throw needsPassword();
    return {
      kind: 'password',
      sealedPassword: sealer.seal(password, environmentId),
      sealedOwnPassword: sealer.seal(own, environmentId),
    };
  }

  return {
    adopt: async (idOrName, { folder, password, environment, isDryRun, createdBy }, abort = {}) => {
      requireFolder(folder);
      const vault = await vaults.find(idOrName);
      await vaults.requireRepository(vault, folder, abort);
      const known = await repositories.repositoryIn(vault.id, folder);
      if (known === undefined && password === undefined) throw needsPassword();
      const nodeId = await localNode();
      const job = await catalog.write(async (tx) => {
        const other = await store.unfinishedIn(vault.id, folder, tx);
        if (other !== undefined) throw folderBusy(folder, other);
        const environmentId = await chooseEnvironment({ vault, folder, environment, known, nodeId }, tx);
        const request = {
          kind: 'adopt' as const,
          vaultId: vault.id,
          folder,
          opens: opensWith(password, known, environmentId),
          isDryRun,
        };
        return await jobs.enqueue({ kind: 'adopt', environmentId, backupId: null, request, createdBy }, tx);
      });
      jobs.wake();
      return job;
    },

    adoptOwn: async (idOrName, { isDryRun, createdBy }, abort = {}) => {
      const vault = await vaults.find(idOrName);
      const { whole, broken } = await vaults.findRepositories(vault, abort);
      const known = new Set(await store.foldersOf(vault.id));
      const nodeId = await localNode();
      const queued: JobRecord[] = [];
      for (const folder of whole.filter((each) => !known.has(each))) {
        const job = await catalog.write(async (tx) => {
          if ((await store.unfinishedIn(vault.id, folder, tx)) !== undefined) return 'busy';
          const opens = { kind: 'recovery-key' as const };
          const request = { kind: 'adopt' as const, vaultId: vault.id, folder, opens, isDryRun };
          // Whose it is, it says itself. No project is called like this.
          const environmentId = await store.hold(`${vault.name}/${folder}`, nodeId, tx);
          return await jobs.tryEnqueue(
            { kind: 'adopt', environmentId, backupId: null, request, createdBy },
            tx,
          );
        });
        if (job !== 'busy') queued.push(job);
      }
      jobs.wake();
      return { jobs: queued, broken: broken.filter((folder) => !known.has(folder)) };
    },
  };

  interface Choice {
    readonly vault: Awaited<ReturnType<VaultService['find']>>;
    readonly folder: string;
    readonly environment: string | undefined;
    readonly known: KnownRepository | undefined;
    readonly nodeId: NodeId;
  }

  async function chooseEnvironment(choice: Choice, tx: Tx): Promise<EnvironmentId> {
    const { vault, folder, environment, known, nodeId } = choice;
    const wanted = environment ?? nameFor(folder);
    const candidates = await store.candidates(wanted, vault.id, tx);
    if (known !== undefined) {
      if (candidates.some(({ id }) => id === known.environmentId)) return known.environmentId;
      const [owner] = await store.candidates(known.environmentId, vault.id, tx);
      throw alreadyAdopted(vault, folder, owner?.name ?? known.environmentId);
    }
    const [found, ...others] = candidates;
    if (found === undefined) {
      if (!isProjectName(wanted)) throw notAProject(wanted);
      return await store.hold(wanted, nodeId, tx);
    }
    if (others.length > 0) throw ambiguous(wanted, candidates);
    if (found.folder !== undefined) throw otherRepository(vault, found.name, found.folder);
    if (environment === undefined && !found.isNothingYet) throw environmentInTheWay(vault, folder, wanted);
    return found.id;
  }
}

/** As Compose would have it: the last name of the folder in small letters, with - for what is not allowed. */
export function nameFor(folder: string): string {
  const last = folder.split('/').at(-1) ?? '';
  const name = last.toLowerCase().replaceAll(/[^a-z0-9_-]+/g, '-');
  return name.replace(/^[-_]+/, '').replace(/-+$/, '') || 'adopted';
}

/** Names from the vault downwards, whatever leads out of it. @throws HoldfastError `usage-invalid` */
function requireFolder(folder: string): void {
  const isPlain = (name: string): boolean =>
    name !== '' && name !== '.' && name !== '..' && !/\p{Cc}/u.test(name);
  if (!folder.split('/').every(isPlain)) throw folderRefused(folder);
}

function ambiguous(name: string, candidates: readonly CandidateEnvironment[]): HoldfastError {
  const ids = candidates.map(({ id }) => id);
  return new HoldfastError('environment-ambiguous', `Several environments are called ${name}.`, {
    hint: `Name one by its id, with --environment: ${ids.join(', ')}.`,
    context: { ids },
  });
}
