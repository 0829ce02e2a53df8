import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBackend } from '../backend/open-backend.ts';
import { randomPolynomial } from '../chunker/polynomial.ts';
import type { SnapshotId } from '../format/ids.ts';
import { checkRepository } from '../maintenance/check.ts';
import { forgetSnapshots } from '../maintenance/forget.ts';
import { executePrune } from '../maintenance/prune/execute-prune.ts';
import { planPrune } from '../maintenance/prune/plan-prune.ts';
import { initRepository } from '../repository/init-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { backUpData } from '../testing/corruption/corruption-site.ts';
import { compareFiles } from '../testing/corruption/restored-files.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { quickRuntime } from '../testing/quick-runtime.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { backupSources } from './backup.ts';
import { restoreNode } from './restore.ts';
import { TreeSpool } from './tree-spool.ts';

const mebi = 1024 * 1024;
const diskBytes = 24 * mebi;

let place: TemporaryDirectory;
/** A file system with room for so many bytes. */
let disk: string;
let source: string;

beforeEach(async () => {
  place = await temporaryDirectory();
  disk = join(place.path, 'disk');
  source = join(place.path, 'source');
  mkdirSync(disk);
  mkdirSync(source);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'none', disk]);
});

afterEach(async () => {
  execFileSync('umount', [disk]);
  await place[Symbol.asyncDispose]();
});

describe('a full disk', () => {
  it('ends a backup with a code; what was saved before is whole, and room can be made', async () => {
    const repository = await makeRepository(disk);
    writeFileSync(join(source, 'kept'), testBytes('kept', 2 * mebi));
    writeFileSync(join(source, 'forgotten'), testBytes('forgotten', 4 * mebi));
    const both = await backUpData(repository, source);
    writeFileSync(join(source, 'forgotten'), '');
    const small = await backUpData(repository, source);
    const kept = join(place.path, 'kept');
    cpSync(source, kept, { recursive: true });
    for (let file = 0; file < 5; file += 1) {
      writeFileSync(join(source, `large-${file}`), testBytes(`large ${file}`, 10 * mebi));
    }

    await expect(backUpData(repository, source)).rejects.toMatchObject({ code: 'storage-full' });
    await expectSound(repository);

    writeFileSync(join(disk, 'the rest'), Buffer.alloc(0));
    fill(join(disk, 'the rest'));
    await using lock = await repository.lock('exclusive').catch(() => undefined);
    expect(lock).toBeUndefined();
    execFileSync('rm', [join(disk, 'the rest')]);
    await forgetAndPrune(repository, both);
    await expectSound(repository);
    await restore(repository, small);
    expect(compareFiles(kept, join(place.path, 'restored'))).toEqual({ right: 2, wrong: [], missing: [] });
  });

  it('ends a restore with a code, and leaves no wrong file', async () => {
    const repository = await makeRepository(join(place.path, 'repository'));
    for (let file = 0; file < 8; file += 1) {
      writeFileSync(join(source, `file-${file}`), testBytes(`file ${file}`, 5 * mebi));
    }
    const snapshot = await backUpData(repository, source);
    const target = join(disk, 'restored');
    await expect(restore(repository, snapshot, target)).rejects.toMatchObject({ code: 'target-full' });
    expect(compareFiles(source, target).wrong).toEqual([]);
  });

  it('ends a backup with a code while its sources stand still, and gives the room back', async () => {
    const blobs = new MemoryBlobs();
    using trees = new TreeSpool(place.path);
    const sources = [{ path: source, treePath: ['data'] as const }];
    const request = { writer: blobs, blobs, polynomial: randomPolynomial(), sources, trees };
    const inodes = new Set<bigint>();
    const writeAll = (seed: string): void => {
      for (const name of ['one', 'two']) writeFileSync(join(source, name), testBytes(seed + name, 20 * mebi));
    };
    writeAll('before');
    const startedAtMs = Date.now();
    const { treeId } = await backupSources({ ...request, options: { mappedWrites: { sync: true, inodes } } });
    writeAll('after');
    let mayGoOn = false;
    const setAside = async (): Promise<void> => {
      mayGoOn = true;
    };
    const finalPass = backupSources({
      ...request,
      parent: { treeId, startedAtMs },
      options: { mappedWrites: { sync: false, inodes } },
      standstill: { directory: disk, setAside },
    });
    await expect(finalPass).rejects.toMatchObject({ code: 'storage-full', hint: expect.any(String) });
    expect(mayGoOn).toBe(false);
    expect(readdirSync(disk)).toEqual([]);
  });
});

async function makeRepository(path: string): Promise<Repository> {
  const backend = openBackend(join(path, 'repository'));
  return await initRepository({ backend, passwords: ['no room'], runtime: quickRuntime() });
}

/** Takes every byte that is left. */
function fill(path: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=4096'], { stdio: 'ignore' });
  } catch {
    // It ends when there is no room: that is what it is for.
  }
}

/** First what needs no room, then what needs the room that this made. */
async function forgetAndPrune(repository: Repository, forgotten: SnapshotId): Promise<void> {
  await using lock = await repository.lock('exclusive');
  await forgetSnapshots(repository, [forgotten], { lock });
  await executePrune(await planPrune(repository, { lock, maxUnused: 0, maxRepackBytes: 0 }));
  await executePrune(await planPrune(repository, { lock, maxUnused: 0 }));
}

async function expectSound(repository: Repository): Promise<void> {
  const findings = await Array.fromAsync(checkRepository(repository, { readData: true }));
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
}

async function restore(
  repository: Repository,
  id: SnapshotId,
  targetPath: string = join(place.path, 'restored'),
): Promise<void> {
  await repository.refreshIndex();
  const { tree: treeId } = await repository.snapshots.find(id);
  const { blobs } = repository;
  await restoreNode({ blobs, treeId, nodePath: ['data'], targetPath });
}
