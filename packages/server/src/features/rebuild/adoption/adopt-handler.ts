import { HoldfastError, isHoldfastError } from '@holdfast/base';
import type { FoundBackup, NodeId, RepositoryAccess } from '@holdfast/protocol';
import type { Catalog } from '../../../catalog/catalog.ts';
import type { Ids } from '../../../catalog/ids.ts';
import type { Sealer } from '../../../secrets/sealer.ts';
import type { EnvironmentService } from '../../environments/service.ts';
import type { JobEnd, JobHandler, JobRun } from '../../jobs/execution/job-handler.ts';
import type { TaskRuns } from '../../jobs/execution/task-runs.ts';
import type { JobRecord, JobRequest } from '../../jobs/job-record.ts';
import type { VaultService } from '../../vaults/service.ts';
import { environmentOf } from '../found-repository.ts';
import type { ReadRepository } from '../read-repository.ts';
import { addBackups, takeInRepository } from '../rebuild-catalog.ts';
import type { RebuildStore } from '../store.ts';
import { keyOpensNothing } from './adoption-errors.ts';
import type { AdoptionStore } from './adoption-store.ts';

export interface AdoptHandlerOptions {
  readonly catalog: Catalog;
  readonly adoptions: AdoptionStore;
  readonly store: RebuildStore;
  readonly environments: Pick<EnvironmentService, 'get'>;
  readonly vaults: Pick<
    VaultService,
    'get' | 'requireUsable' | 'locationOf' | 'storageOf' | 'readRecoveryKey'
  >;
  readonly taskRuns: TaskRuns;
  readonly sealer: Sealer;
  readonly ids: Ids;
  readonly localNode: () => Promise<NodeId>;
  /** For metadata of repositories that are reached over a network. */
  readonly cacheDirectory: string;
}

type AdoptRequest = Extract<JobRequest, { kind: 'adopt' }>;

/** What a job is to take in, and what that takes. */
interface Adoption {
  readonly run: JobRun;
  readonly request: AdoptRequest;
  readonly vault: Awaited<ReturnType<VaultService['get']>>;
  readonly access: Omit<RepositoryAccess, 'password'>;
  readonly recoveryKey: string;
}

/**
 * Takes a repository into the catalog: one of stock restic's, in which backups are made first, or one of Holdfast's own. What
 * a mover has committed is in the repository for good, and the catalog gets its rows after that: cut off at any moment, it is
 * begun again and finds what is there.
 */
export function createAdoptHandler(options: AdoptHandlerOptions): JobHandler {
  const { vaults, taskRuns } = options;

  async function run(job: JobRun): Promise<JobEnd> {
    const request = requestOf(job.job);
    const vault = await vaults.get(request.vaultId);
    await vaults.requireUsable(vault, [], job);
    const access = {
      location: vaults.locationOf(vault, request.folder),
      storage: vaults.storageOf(vault),
      cacheDirectory: options.cacheDirectory,
    };
    const recoveryKey = await vaults.readRecoveryKey(vault);
    const adoption = { run: job, request, vault, access, recoveryKey };
    if (request.opens.kind === 'password') return await adoptStock(options, adoption, request.opens);
    return await (request.isDryRun ? lookAtOwn : adoptOwn)(options, adoption);
  }

  return {
    run,
    recover: async (job) => {
      await taskRuns.settle(job.job.id, job);
      return await run(job);
    },
    recordFailure: async () => {},
  };
}

/** The mover makes backups, and the catalog learns of them. */
async function adoptStock(
  options: AdoptHandlerOptions,
  { run, request, access, recoveryKey }: Adoption,
  opens: Extract<AdoptRequest['opens'], { kind: 'password' }>,
): Promise<JobEnd> {
  const { taskRuns, sealer, store, environments } = options;
  const environment = await environments.get(run.job.environmentId);
  if (environment === undefined) throw new HoldfastError('internal', 'The job is of no environment.');
  const { id, name, type, nodeName: node, folder } = environment;
  const ownPassword = sealer.unseal(opens.sealedOwnPassword, id);
  run.step('Looking at the repository');
  const mover = await taskRuns.start(run, 'adopt', (base) => ({
    ...base,
    kind: 'adopt',
    repository: { ...access, password: sealer.unseal(opens.sealedPassword, id) },
    environment: { id, name, type, node, folder },
    createdBy: run.job.createdBy,
    ownPassword,
    recoveryPassword: recoveryKey,
    isDryRun: request.isDryRun,
  }));
  try {
    mover.send({ type: 'go' });
    const warnings = await mover.waitForSuccess(run);
    if (request.isDryRun) return { warnings, record: async () => {} };
    const known = await store.repositoryIn(request.vaultId, request.folder);
    const found = { ownPassword, backups: mover.milestones.found ?? [] };
    await takeRows(options, { run, request, known }, found);
    return { warnings, record: async () => {} };
  } finally {
    await taskRuns.end(mover);
  }
}

interface Rows {
  readonly run: JobRun;
  readonly request: AdoptRequest;
  readonly known: Awaited<ReturnType<RebuildStore['repositoryIn']>>;
}

/** Rows of environment and repository, then of backups. */
async function takeRows(
  { catalog, adoptions, store, sealer, ids }: AdoptHandlerOptions,
  { run, request, known }: Rows,
  { ownPassword, backups }: { readonly ownPassword: string; readonly backups: readonly FoundBackup[] },
): Promise<void> {
  const { environmentId } = run.job;
  const id = known?.id ?? ids.repository();
  await catalog.write(async (tx) => {
    await adoptions.show(environmentId, tx);
    if (known !== undefined) return;
    const row = { id, environmentId, folder: request.folder, sealedPassword: sealer.seal(ownPassword, id) };
    await store.addRepository(request.vaultId, row, tx);
  });
  const { signal } = run;
  const added = await addBackups({ catalog, store, signal }, backups, { environmentId, repositoryId: id });
  run.log('info', `Backups that the catalog has since now: ${added}`);
}

/** One that a server of Holdfast's has made: its backups are there, under the ids that they have. */
async function adoptOwn(
  options: AdoptHandlerOptions,
  { run, request: { vaultId, folder }, vault, access, recoveryKey }: Adoption,
): Promise<JobEnd> {
  const { catalog, adoptions, store, sealer, ids, localNode } = options;
  const warnings: string[] = [];
  run.step('Looking at the repository');
  const taken = await keyed(
    vault,
    folder,
    takeInRepository(
      {
        ...{ catalog, store, sealer, ids, recoveryKey },
        readRepositories: async ({ repository, ownPassword }) =>
          await readRepository(options, run, { repository, ownPassword, warnings }),
        vault: { id: vaultId },
        accessTo: () => access,
        nodeId: await localNode(),
        onKeyProven: async () => {},
        signal: run.signal,
      },
      folder,
      (text) => {
        warnings.push(text);
        run.log('warn', text);
      },
    ),
  );
  const { environmentId, environmentName, added } = taken;
  if (environmentId === null) return { warnings, record: async () => {} };
  run.log('info', `It is of ${environmentName}; backups that the catalog has since now: ${added}`);
  return {
    warnings,
    record: async (tx) => await adoptions.moveJob(run.job.id, environmentId, tx),
  };
}

async function lookAtOwn(
  options: AdoptHandlerOptions,
  { run, request: { folder }, vault, access, recoveryKey }: Adoption,
): Promise<JobEnd> {
  const warnings: string[] = [];
  run.step('Looking at the repository');
  const reading = readRepository(options, run, {
    repository: { ...access, password: recoveryKey },
    ownPassword: recoveryKey,
    warnings,
  });
  await using read = await keyed(vault, folder, reading);
  const [first, ...others] = read.backups;
  const whose = first === undefined ? 'nobody' : environmentOf([first, ...others]).name;
  run.log('info', `${folder} is of ${whose}; backups that would be taken in: ${read.backups.length}`);
  return { warnings, record: async () => {} };
}

interface Reading {
  readonly repository: RepositoryAccess;
  readonly ownPassword: string;
  /** Takes those of the mover, which are in the log already. */
  readonly warnings: string[];
}

/** As `ReadRepositories`, by a mover that is the job's. */
async function readRepository(
  { taskRuns }: AdoptHandlerOptions,
  run: JobRun,
  { repository, ownPassword, warnings }: Reading,
): Promise<ReadRepository> {
  const mover = await taskRuns.start(run, 'rebuild', (base) => {
    return { ...base, kind: 'rebuild', repository, ownPassword };
  });
  try {
    mover.send({ type: 'go' });
    await mover.waitFor('sealed', run);
  } catch (error) {
    await taskRuns.end(mover);
    throw error;
  }
  return {
    backups: mover.milestones.found ?? [],
    warnings: [],
    commit: async (abort) => {
      mover.send({ type: 'commit' });
      warnings.push(...(await mover.waitForSuccess(abort)));
    },
    [Symbol.asyncDispose]: async () => await taskRuns.end(mover),
  };
}

async function keyed<T>(vault: Adoption['vault'], folder: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isHoldfastError(error, 'password-wrong') ? keyOpensNothing(vault, folder, error) : error;
  }
}

function requestOf({ request }: JobRecord): AdoptRequest {
  if (request.kind === 'adopt') return request;
  throw new HoldfastError('internal', 'The job adopts nothing.');
}
