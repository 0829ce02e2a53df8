import { join } from 'node:path';
import { isHoldfastError } from '@holdfast/base';
import type { Backend } from '../../backend/backend.ts';
import { checkRepository } from '../../maintenance/check.ts';
import { forgetSnapshots } from '../../maintenance/forget.ts';
import { executePrune } from '../../maintenance/prune/execute-prune.ts';
import { planPrune } from '../../maintenance/prune/plan-prune.ts';
import { initRepository } from '../../repository/init-repository.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { restoreNode } from '../../snapshot/restore.ts';
import { backUpData, type CorruptionSite, sitePassword } from '../corruption/corruption-site.ts';
import { compareFiles } from '../corruption/restored-files.ts';
import { quickRuntime } from '../quick-runtime.ts';

/** What a run of a verb may use: a copy of the site's repository, and the backend that faults happen in. */
export interface FaultPlace {
  readonly site: CorruptionSite;
  readonly copy: string;
  readonly backend: Backend;
}

export interface FaultVerb {
  readonly name: string;
  /** Changes nothing but locks. */
  readonly isReading?: boolean;
  /** Makes the copy ready for it. */
  readonly prepare?: (place: { readonly site: CorruptionSite; readonly copy: string }) => Promise<void>;
  /** @throws HoldfastError where a fault stopped it, and Error when it did something wrong */
  run(place: FaultPlace): Promise<void>;
}

const newPassword = 'the third';
const runtime = quickRuntime();

export const faultVerbs: readonly FaultVerb[] = [
  {
    name: 'init',
    run: async ({ backend }) => {
      await initRepository({ backend, passwords: [sitePassword], runtime });
    },
  },
  {
    name: 'backup',
    run: async ({ site, backend }) => {
      await backUpData(await open(backend), site.source);
    },
  },
  { name: 'restore', isReading: true, run: restore },
  {
    name: 'check',
    isReading: true,
    run: async ({ backend }) => {
      const repository = await open(backend);
      await using _lock = await repository.lock('shared');
      // Wrong bytes on their way are damage to a check: all that counts is that it ends.
      await Array.fromAsync(checkRepository(repository, { readData: true }));
    },
  },
  {
    name: 'forget',
    run: async ({ site, backend }) => {
      const repository = await open(backend);
      await using lock = await repository.lock('shared');
      await forgetSnapshots(
        repository,
        site.snapshots.slice(0, 1).map(({ id }) => id),
        { lock },
      );
    },
  },
  {
    name: 'prune',
    prepare: async ({ site, copy }) => {
      const [first] = site.snapshots;
      const { storage } = await site.open(copy);
      if (first !== undefined) await storage.backend.remove({ kind: 'snapshot', id: first.id });
    },
    run: async ({ backend }) => {
      const repository = await open(backend);
      await using lock = await repository.lock('exclusive');
      await executePrune(await planPrune(repository, { lock, maxUnused: 0 }));
    },
  },
  {
    name: 'key add',
    run: async ({ backend, site, copy }) => {
      await (await open(backend)).keys.add(newPassword);
      await site.open(copy, newPassword);
    },
  },
];

async function open(backend: Backend): Promise<Repository> {
  return await openRepository({ backend, password: sitePassword, runtime });
}

async function restore({ site, backend }: FaultPlace): Promise<void> {
  const [snapshot] = site.snapshots;
  if (snapshot === undefined) throw new Error('There is no snapshot.');
  const targetPath = join(site.freshTarget(), 'data');
  const assertRight = (mayMiss: boolean): void => {
    const { wrong, missing } = compareFiles(snapshot.source, targetPath);
    if (wrong.length > 0) throw new Error(`restore gave wrong files: ${wrong.join()}`);
    if (missing.length > 0 && !mayMiss) throw new Error(`restore left out: ${missing.join()}`);
  };
  try {
    const repository = await open(backend);
    await using _lock = await repository.lock('shared');
    const { tree: treeId } = await repository.snapshots.find(snapshot.id);
    await repository.refreshIndex();
    const options = { syncTarget: false };
    const { failureCount } = await restoreNode({
      blobs: repository.blobs,
      treeId,
      nodePath: ['data'],
      targetPath,
      options,
    });
    assertRight(failureCount > 0);
  } catch (error) {
    if (isHoldfastError(error)) assertRight(true);
    throw error;
  }
}
