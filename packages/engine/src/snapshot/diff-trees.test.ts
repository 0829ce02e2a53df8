import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { randomPolynomial } from '../chunker/polynomial.ts';
import { byteStringToText } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { changeRandomly } from '../testing/random-tree.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { backupSources } from './backup.ts';
import { diffTrees } from './diff-trees.ts';
import { walkTree } from './walk.ts';

const polynomial = randomPolynomial();
const blobs = new MemoryBlobs();

async function backUp(path: string): Promise<TreeId> {
  const sources = [{ path, treePath: ['data'] as const }];
  return (await backupSources({ writer: blobs, blobs, polynomial, sources })).treeId;
}

async function differences(oldTreeId: TreeId | undefined, newTreeId: TreeId | undefined): Promise<string[]> {
  const lines: string[] = [];
  for await (const { change, path } of diffTrees({ blobs, oldTreeId, newTreeId })) {
    lines.push(`${change} ${byteStringToText(path)}`);
  }
  return lines;
}

test('two trees differ in what was added, removed or changed, and in nothing else', async () => {
  await using place = await temporaryDirectory();
  const at = (name: string): string => join(place.path, name);
  for (const folder of ['same', 'folder', 'gone/deep']) mkdirSync(at(folder), { recursive: true });
  for (const file of ['same/file', 'folder/changed', 'folder/mode', 'gone/deep/file', 'type', 'renamed'])
    writeFileSync(at(file), 'one');
  const before = await backUp(place.path);
  expect(await differences(before, before)).toEqual([]);
  writeFileSync(at('folder/changed'), 'two');
  utimesSync(at('folder/changed'), 1, 1);
  chmodSync(at('folder/mode'), 0o600);
  rmSync(at('gone'), { recursive: true });
  rmSync(at('type'));
  symlinkSync('renamed', at('type'));
  renameSync(at('renamed'), at('a name'));
  const after = await backUp(place.path);
  expect(await differences(before, after)).toEqual([
    'added /data/a name',
    'changed /data/folder/changed',
    'metadata /data/folder/mode',
    'removed /data/gone',
    'removed /data/gone/deep',
    'removed /data/gone/deep/file',
    'removed /data/renamed',
    'changed /data/type',
  ]);
});

test('all of a tree is added to nothing, and removed for nothing', async () => {
  await using place = await temporaryDirectory();
  changeRandomly(place.path, new SeededRandom(3), 40);
  const treeId = await backUp(place.path);
  const paths: string[] = [];
  for await (const { path } of walkTree({ blobs, treeId })) paths.push(byteStringToText(path));
  expect(await differences(undefined, treeId)).toEqual(paths.map((path) => `added ${path}`));
  expect(await differences(treeId, undefined)).toEqual(paths.map((path) => `removed ${path}`));
});

test.each([1, 2, 3, 4, 5])('there and back are each other’s opposite (%i)', async (seed) => {
  await using place = await temporaryDirectory();
  const random = new SeededRandom(seed);
  changeRandomly(place.path, random, 40);
  const before = await backUp(place.path);
  changeRandomly(place.path, random, 20);
  const after = await backUp(place.path);
  const opposite: Record<string, string> = { added: 'removed', removed: 'added' };
  const back = await differences(after, before);
  expect(back).toEqual(
    (await differences(before, after)).map((line) => line.replace(/^\w+/, (word) => opposite[word] ?? word)),
  );
});
