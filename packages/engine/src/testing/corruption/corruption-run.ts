import { join } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import { openBackend } from '../../backend/open-backend.ts';
import { checkRepository } from '../../maintenance/check.ts';
import { executePrune } from '../../maintenance/prune/execute-prune.ts';
import { planPrune } from '../../maintenance/prune/plan-prune.ts';
import { restoreNode } from '../../snapshot/restore.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { type Corruption, corrupt, type DamageableKind, looksIntended } from './corruption.ts';
import type { CorruptionSite, KnownSnapshot } from './corruption-site.ts';
import { compareFiles } from './restored-files.ts';

/**
 * Damages one file of a copy of the repository and lets check, restore and prune meet it.
 * Returns what it did. @throws Error for damage that was not found, not named, or passed on as good data, and for a
 * prune that went on and lost something
 */
export async function proveCorruption(
  site: CorruptionSite,
  corruption: Corruption,
  random: SeededRandom,
): Promise<string> {
  const copy = await site.copy({ hasLocks: corruption.kind === 'lock' });
  const { path, other, name } = await site.filesOf(copy, corruption.kind);
  const what = `${corruption.kind} ${corrupt(path, other, corruption.damage, random)}`;
  try {
    await assertFound(site, copy, { corruption, name });
    const before = await restoreAll(site, copy);
    if (!(await prune(site, copy))) return what;
    if (mustRefuse(corruption)) throw new Error('prune did not refuse');
    const after = await restoreAll(site, copy);
    if (after < before) throw new Error(`${before} files could be restored, and after a prune ${after}`);
    return what;
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Where the damage is seen without reading the contents of files. */
function mustRefuse({ kind, damage }: Corruption): boolean {
  const isAbsent = damage === 'missing' || damage === 'truncated';
  switch (kind) {
    case 'config':
    case 'index':
      return true;
    case 'snapshot':
    case 'lock':
      return damage !== 'missing';
    case 'tree pack':
      return isAbsent || damage === 'swapped';
    case 'data pack':
      return isAbsent;
    case 'key':
      return false;
  }
}

async function assertFound(
  site: CorruptionSite,
  copy: string,
  { corruption, name }: { readonly corruption: Corruption; readonly name: string },
): Promise<void> {
  const evidence = await examine(site, copy);
  if (looksIntended(corruption)) {
    if (evidence.length > 0) throw new Error(`check found what is none: ${evidence.join()}`);
    return;
  }
  if (evidence.length === 0) throw new Error('check found nothing');
  const needed = corruption.damage === 'missing' ? nameOfMissing(corruption.kind, name) : name;
  if (!evidence.some((text) => text.includes(needed))) {
    throw new Error(`check does not name ${needed}: ${evidence.join().slice(0, 1000)}`);
  }
}

/** Nobody knows the name of an index that is gone: what it named is missing, and that is told. */
function nameOfMissing(kind: DamageableKind, name: string): string {
  if (kind === 'index') return 'blob-missing';
  return kind === 'config' ? 'repository-missing' : name;
}

/** What a check with all data says about damage, as text. */
async function examine(site: CorruptionSite, copy: string): Promise<string[]> {
  try {
    const repository = await site.openWithAny(copy);
    await using _lock = await repository.lock('shared');
    const evidence: string[] = [];
    for await (const finding of checkRepository(repository, { readData: true })) {
      if (finding.severity === 'error') evidence.push(JSON.stringify(finding));
    }
    return evidence;
  } catch (error) {
    return [JSON.stringify(codedError(error).toReport())];
  }
}

/** Restores every snapshot. How many files are right. @throws Error when one is wrong, or is missing without a word */
async function restoreAll(site: CorruptionSite, copy: string): Promise<number> {
  let right = 0;
  for (const snapshot of site.snapshots) {
    const target = join(site.freshTarget(), 'data');
    const report = await restore(site, copy, { snapshot, target });
    const files = compareFiles(snapshot.source, target);
    if (files.wrong.length > 0) throw new Error(`restore gave wrong files: ${files.wrong.join()}`);
    if (files.missing.length > 0 && report === undefined) {
      throw new Error(`restore left out without a word: ${files.missing.join()}`);
    }
    right += files.right;
  }
  return right;
}

/** What the restore reported; undefined if it says that all is well. */
async function restore(
  site: CorruptionSite,
  copy: string,
  { snapshot, target }: { readonly snapshot: KnownSnapshot; readonly target: string },
): Promise<string | undefined> {
  try {
    const repository = await site.openWithAny(copy);
    await repository.refreshIndex();
    const { tree: treeId } = await repository.snapshots.find(snapshot.id);
    const { blobs } = repository;
    const options = { syncTarget: false };
    const result = await restoreNode({ blobs, treeId, nodePath: ['data'], targetPath: target, options });
    return result.failureCount === 0 ? undefined : JSON.stringify(result.failures);
  } catch (error) {
    return codedError(error).message;
  }
}

/** False when it refused; then it must not have changed anything. */
async function prune(site: CorruptionSite, copy: string): Promise<boolean> {
  const before = await contents(copy);
  try {
    const repository = await site.openWithAny(copy);
    await using lock = await repository.lock('exclusive');
    await executePrune(await planPrune(repository, { lock, maxUnused: 0 }));
    return true;
  } catch (error) {
    codedError(error);
    const after = await contents(copy);
    if (before !== after) throw new Error('prune refused, and changed something', { cause: error });
    return false;
  }
}

async function contents(copy: string): Promise<string> {
  const backend = openBackend(copy);
  const lists = (['snapshot', 'index', 'data', 'key'] as const).map((kind) =>
    Array.fromAsync(backend.list(kind)),
  );
  return JSON.stringify(await Promise.all(lists));
}

function codedError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError && error.code !== 'internal') return error;
  throw new Error(`an error without a code: ${String(error)}`, { cause: error });
}
