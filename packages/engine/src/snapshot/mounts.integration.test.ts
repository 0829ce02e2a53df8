import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { randomPolynomial } from '../chunker/polynomial.ts';
import { byteStringToText } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import { compareTrees } from '../testing/compare-trees.ts';
import { makeEveryKind } from '../testing/every-kind.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { backupSources } from './backup.ts';
import { restoreNode } from './restore.ts';
import { walkTree } from './walk.ts';

const polynomial = randomPolynomial();

let place: TemporaryDirectory;
let source: string;
let target: string;
let mounts: string[];
let blobs: MemoryBlobs;

beforeEach(async () => {
  place = await temporaryDirectory();
  [source, target] = [join(place.path, 'source'), join(place.path, 'target')];
  mounts = [];
  blobs = new MemoryBlobs();
});

afterEach(async () => {
  for (const path of mounts.toReversed()) execFileSync('umount', [path]);
  await place[Symbol.asyncDispose]();
});

function mount(path: string, ...options: string[]): void {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', [...options, path]);
  mounts.push(path);
}

async function backUp(options = {}): Promise<TreeId> {
  const sources = [{ path: source, treePath: ['data'] as const }];
  return (await backupSources({ writer: blobs, blobs, polynomial, sources, options })).treeId;
}

async function restore(treeId: TreeId, options = {}) {
  return await restoreNode({ blobs, treeId, nodePath: ['data'], targetPath: target, options });
}

it('restores every kind of file onto another file system', async () => {
  makeEveryKind(source);
  mount(target, '-t', 'tmpfs', 'holdfast-test');
  const result = await restore(await backUp(), { deleteExtraneous: true, sparse: true });
  // tmpfs keeps user attributes since Linux 6.6; everything else it has always kept.
  expect(result).toMatchObject({ warnings: [], failures: [] });
  expect(compareTrees(source, target)).toEqual([]);
});

it('says that the target is full, and leaves what was there old or new', async () => {
  mkdirSync(source);
  for (const name of ['a', 'b', 'c']) writeFileSync(join(source, name), Buffer.alloc(3_000_000, name));
  const treeId = await backUp();
  mount(target, '-t', 'tmpfs', '-o', 'size=8m', 'holdfast-test');
  for (const name of ['a', 'b', 'c']) writeFileSync(join(target, name), 'old');
  await expect(restore(treeId)).rejects.toMatchObject({ code: 'target-full', hint: expect.any(String) });
  for (const name of readdirSync(target)) {
    const content = readFileSync(join(target, name), 'utf8');
    expect(content === 'old' || content === name.repeat(3_000_000)).toBe(true);
  }
});

it('says that the target is read-only', async () => {
  mkdirSync(source);
  writeFileSync(join(source, 'a'), 'x');
  const treeId = await backUp();
  mount(target, '-t', 'tmpfs', '-o', 'ro', 'holdfast-test');
  await expect(restore(treeId)).rejects.toMatchObject({ code: 'target-not-writable' });
});

it('removes nothing that is mounted inside the target, also of the same file system', async () => {
  mkdirSync(join(source, 'kept'), { recursive: true });
  const treeId = await backUp();
  const other = join(place.path, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'precious'), 'x');
  mount(join(target, 'foreign'), '-t', 'tmpfs', 'holdfast-test');
  writeFileSync(join(target, 'foreign', 'precious'), 'x');
  mount(join(target, 'bound', 'below'), '--bind', other);
  mount(join(target, 'kept'), '--bind', other);
  writeFileSync(join(target, 'extra'), 'x');
  const result = await restore(treeId, { deleteExtraneous: true });
  expect(existsSync(join(target, 'extra'))).toBe(false);
  expect(readdirSync(join(target, 'foreign'))).toEqual(['precious']);
  expect(readdirSync(other)).toEqual(['precious']);
  expect(result.warnings.map(({ path }) => path).toSorted()).toEqual([
    join(target, 'bound', 'below'),
    join(target, 'foreign'),
  ]);
});

it('stays on the file system of the source when told to, and keeps its mount points', async () => {
  mkdirSync(source);
  writeFileSync(join(source, 'a'), 'x');
  mount(join(source, 'mounted'), '-t', 'tmpfs', 'holdfast-test');
  writeFileSync(join(source, 'mounted', 'b'), 'x');
  const paths = async (treeId: TreeId): Promise<string[]> => {
    const found: string[] = [];
    for await (const { path } of walkTree({ blobs, treeId })) found.push(byteStringToText(path));
    return found;
  };
  expect(await paths(await backUp())).toEqual(['/data', '/data/a', '/data/mounted', '/data/mounted/b']);
  expect(await paths(await backUp({ oneFileSystem: true }))).toEqual(['/data', '/data/a', '/data/mounted']);
});
