import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBackend } from '../backend/open-backend.ts';
import { entryNames } from '../filesystem/directory-entries.ts';
import { makeDirectoryAt, makeSymlinkAt } from '../filesystem/entries.ts';
import { setTimesAt } from '../filesystem/metadata.ts';
import { createFileAt, openDirectoryAt, openTrustedDirectory } from '../filesystem/open.ts';
import { type ByteString, toByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import { utcTimestamp } from '../format/timestamp.ts';
import { initRepository } from '../repository/init-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { systemRuntime } from '../repository/runtime.ts';
import { compareTrees } from '../testing/compare-trees.ts';
import { makeEveryKind } from '../testing/every-kind.ts';
import { quickScrypt } from '../testing/manual-runtime.ts';
import { stockRestics } from '../testing/stock-restic.ts';
import { backupSources } from './backup.ts';
import { restoreNode, restoreSnapshot } from './restore.ts';
import { joinPath } from './source-tree.ts';

const password = 'a password';
const longestPathBytes = 4096;

let work: string;
let source: string;
let target: string;
let repository: Repository;
let mounts: string[];

beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), 'holdfast-fidelity-'));
  [source, target] = [join(work, 'source'), join(work, 'target')];
  mounts = [];
  const backend = openBackend(join(work, 'repository'));
  const runtime = { ...systemRuntime(), scrypt: quickScrypt };
  repository = await initRepository({ backend, passwords: [password], runtime });
});

afterEach(() => {
  for (const path of mounts) execFileSync('umount', [path]);
  // Node's own removal knows no paths longer than the kernel takes.
  execFileSync('rm', ['-rf', '--', work]);
});

function mount(path: string): void {
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', 'holdfast-test', path]);
  mounts.push(path);
}

async function backUp(): Promise<TreeId> {
  await using lock = await repository.lock('shared');
  await using writer = await repository.openWriter({ lock });
  const { blobs, polynomial } = repository;
  const sources = [{ path: source, treePath: ['data'] as const }];
  const { treeId, warnings } = await backupSources({ writer, blobs, polynomial, sources });
  expect(warnings).toEqual([]);
  await writer.flush();
  const record = { time: utcTimestamp(Date.now()), tree: treeId, paths: ['/data'], hostname: 'anvil' };
  const user = { username: 'root', uid: 0, gid: 0, excludes: [], tags: [] };
  await repository.snapshots.save({ ...record, ...user }, { lock });
  await repository.refreshIndex();
  return treeId;
}

async function restore(treeId: TreeId): Promise<void> {
  const { blobs } = repository;
  const options = { syncTarget: false };
  const result = await restoreNode({ blobs, treeId, nodePath: ['data'], targetPath: target, options });
  expect(result).toMatchObject({ warnings: [], failures: [] });
}

it('the root of a file system is a source like any other, with its own metadata', async () => {
  mount(source);
  makeEveryKind(join(source, 'every-kind'));
  using parent = openTrustedDirectory(toByteString(work));
  const time = { seconds: -5, nanoseconds: 123_456_789 };
  setTimesAt(parent.number, toByteString('source'), { modifiedAt: time, accessedAt: time });
  await restore(await backUp());
  expect(compareTrees(source, target)).toEqual([]);
});

it('paths longer than the kernel takes in one piece come back', async () => {
  mkdirSync(source);
  const name = toByteString('d'.repeat(250));
  makeDeep(toByteString(source), name, Math.ceil((longestPathBytes * 2) / name.length));
  await restore(await backUp());
  expect(compareTrees(source, target)).toEqual([]);
});

/** Directories of the same name within each other, each with a file and a link beside the next. */
function makeDeep(path: ByteString, name: ByteString, depth: number): void {
  let above = openTrustedDirectory(path);
  let reached = path;
  for (let level = 0; level < depth; level += 1) {
    using directory = above;
    makeDirectoryAt(directory.number, name);
    above = openDirectoryAt(directory.number, name);
    reached = joinPath(reached, name);
    using file = createFileAt(above.number, toByteString('file'));
    writeFileSync(file.number, `at level ${level}`);
    makeSymlinkAt(above.number, toByteString('link'), toByteString('file'));
  }
  above[Symbol.dispose]();
  expect(reached.length).toBeGreaterThan(longestPathBytes);
}

it('200,000 entries in one directory come back, by us and by stock restic', async () => {
  const count = 200_000;
  // In memory: what is tried is the way through a long directory, not the storage.
  mount(join(work, 'memory'));
  [source, target] = [join(work, 'memory', 'source'), join(work, 'memory', 'target')];
  mkdirSync(source);
  for (let number = 0; number < count; number += 1) closeSync(openSync(join(source, `entry-${number}`), 'w'));
  await restore(await backUp());
  expect(namesIn(target)).toEqual(namesIn(source));
  const restic = (await stockRestics()).at(-1);
  const byStock = join(work, 'memory', 'by-stock');
  await restic?.run(join(work, 'repository'), password, 'restore', 'latest', '--target', byStock);
  expect(readdirSync(join(byStock, 'data'))).toHaveLength(count);
});

function namesIn(path: string): readonly ByteString[] {
  using directory = openTrustedDirectory(toByteString(path));
  return entryNames(directory.number);
}

it('a tree restored over a changed copy of itself is the same again', async () => {
  makeEveryKind(source);
  const treeId = await backUp();
  await restore(treeId);
  execFileSync(
    'sh',
    ['-c', 'find . -mindepth 1 -maxdepth 3 -exec touch -h -d 2001-01-01 -- {} +; rm -rf names'],
    {
      cwd: target,
    },
  );
  writeFileSync(join(target, 'files', 'large'), 'short');
  writeFileSync(join(target, 'files', 'extra'), 'x');
  const { blobs } = repository;
  const options = { deleteExtraneous: true, syncTarget: false, verify: true, sparse: true };
  const again = await restoreNode({ blobs, treeId, nodePath: ['data'], targetPath: target, options });
  expect(again).toMatchObject({ warnings: [], failures: [] });
  expect(compareTrees(source, target)).toEqual([]);
  const part = join(work, 'part');
  const patterns = { includes: ['/data/links/below'] };
  await restoreSnapshot({ blobs, treeId, targetDirectory: part, patterns, options });
  expect(compareTrees(join(source, 'links', 'below'), join(part, 'data', 'links', 'below'))).toEqual([]);
});
