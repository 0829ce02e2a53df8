import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomPolynomial } from '../chunker/polynomial.ts';
import type { TreeId } from '../format/ids.ts';
import { backupSources } from '../snapshot/backup.ts';
import { compareTrees } from '../testing/compare-trees.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { changeRandomly, copyTree } from '../testing/random-tree.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { compareTarget } from './compare-target.ts';
import type { DifferentEntry, StagedRestore } from './stage-request.ts';
import { openStagedRestore, settleStaged } from './staged-restore.ts';

const polynomial = randomPolynomial();

let place: TemporaryDirectory;
let source: string;
let target: string;
let before: string;
let blobs: MemoryBlobs;

beforeEach(async () => {
  place = await temporaryDirectory();
  source = join(place.path, 'source');
  target = join(place.path, 'target');
  before = join(place.path, 'before');
  mkdirSync(source);
  mkdirSync(target);
  blobs = new MemoryBlobs();
});

afterEach(() => place[Symbol.asyncDispose]());

async function backUp(path = source): Promise<TreeId> {
  const sources = [{ path, treePath: ['data'] as const }];
  return (await backupSources({ writer: blobs, blobs, polynomial, sources })).treeId;
}

async function open(treeId: TreeId, targetPath = target): Promise<StagedRestore> {
  return await openStagedRestore({ blobs, treeId, nodePath: ['data'], targetPath });
}

const isStaging = (name: string): boolean => name.startsWith('.holdfast-restore-');
const stagingNames = (): readonly string[] => readdirSync(target).filter(isStaging);

/** What a backup holds, and a target that came to differ from it while both changed. */
async function makeRandom(seed: number): Promise<TreeId> {
  const random = new SeededRandom(seed);
  changeRandomly(source, random, 40);
  rmSync(target, { recursive: true });
  copyTree(source, target);
  changeRandomly(target, random, random.integer(30));
  changeRandomly(source, random, random.integer(10));
  return await backUp();
}

const seeds = Array.from({ length: 40 }, (_, seed) => seed);

describe('a staged restore', () => {
  it.each(seeds)('makes the target what the backup has, and brings it back (%i)', async (seed) => {
    const treeId = await makeRandom(seed);
    const random = new SeededRandom(1000 + seed);
    await using staged = await open(treeId);
    await staged.compare();
    await staged.stage();
    // Whoever used it until now.
    changeRandomly(target, random, random.integer(10));
    copyTree(target, before);
    for (const name of readdirSync(before).filter(isStaging)) rmSync(join(before, name), { recursive: true });
    const { mtime, atime } = statSync(target);
    utimesSync(before, atime, mtime);
    utimesSync(target, atime, mtime);
    await staged.complete();
    await staged.swap();
    expect(compareTrees(source, target).filter((line) => !line.includes('.holdfast-restore'))).toEqual([]);
    staged.finish();
    await staged[Symbol.asyncDispose]();
    expect(compareTrees(source, target)).toEqual([]);
    expect(staged.warnings).toEqual([]);
  });

  it.each(seeds)('that is cut off anywhere is brought wholly forward or wholly back (%i)', async (seed) => {
    const treeId = await makeRandom(seed);
    copyTree(target, before);
    const random = new SeededRandom(2000 + seed);
    const staged = await open(treeId);
    await staged.stage();
    await staged.complete();
    const [name = ''] = stagingNames();
    const journal = join(target, name, 'journal');
    const whole = readFileSync(journal);
    const lines = whole.toString('latin1').split('\n');
    // As if the process had been killed after so many of its steps.
    writeFileSync(journal, lines.slice(0, random.integer(lines.length)).join('\n'), 'latin1');
    await staged.swap();
    writeFileSync(journal, whole);
    const direction = random.integer(2) === 0 ? 'forward' : 'back';
    expect(await settleStaged([target], direction)).toEqual([target]);
    expect(compareTrees(direction === 'forward' ? source : before, target)).toEqual([]);
    expect(await settleStaged([target], 'back')).toEqual([]);
    await staged[Symbol.asyncDispose]();
  });

  it('that fails half-way is undone', async () => {
    const treeId = await makeRandom(7);
    copyTree(target, before);
    await using staged = await open(treeId);
    await staged.complete();
    const folder = join(target, stagingNames()[0] ?? '');
    const lines = readFileSync(join(folder, 'journal'), 'utf8').trim().split('\n');
    const swaps = lines.map((line) => JSON.parse(line)).filter((line) => line.swap && line.new);
    expect(swaps.length).toBeGreaterThan(2);
    rmSync(join(folder, swaps.at(-2).staged), { recursive: true });
    await expect(staged.swap()).rejects.toMatchObject({ code: 'target-changed' });
    expect(compareTrees(before, target)).not.toEqual([]);
    await staged.undo();
    staged.finish();
    await staged[Symbol.asyncDispose]();
    expect(compareTrees(before, target)).toEqual([]);
  });

  it('that is left before its swap leaves the target as it was', async () => {
    const treeId = await makeRandom(8);
    copyTree(target, before);
    for (const steps of [0, 1, 2, 3]) {
      await using staged = await open(treeId);
      if (steps > 0) await staged.compare();
      if (steps > 1) await staged.stage();
      if (steps > 2) await staged.complete();
      await staged[Symbol.asyncDispose]();
      expect(compareTrees(before, target)).toEqual([]);
    }
  });

  it('takes up what one that was killed left, at any step', async () => {
    const treeId = await makeRandom(9);
    copyTree(target, before);
    const killed = await open(treeId);
    await killed.stage();
    await killed.complete();
    await using staged = await open(treeId);
    expect(stagingNames()).toHaveLength(1);
    await staged.complete();
    await staged.swap();
    staged.finish();
    await staged[Symbol.asyncDispose]();
    expect(compareTrees(source, target)).toEqual([]);
  });

  it('goes on from every state that a crash can leave where names cannot be exchanged', async () => {
    writeFileSync(join(source, 'file'), 'new');
    writeFileSync(join(target, 'file'), 'old');
    const treeId = await backUp();
    for (const direction of ['forward', 'back'] as const) {
      for (const moves of [1, 2]) {
        writeFileSync(join(target, 'file'), 'old');
        const staged = await open(treeId);
        await staged.complete();
        const folder = join(target, stagingNames()[0] ?? '');
        const swap = readFileSync(join(folder, 'journal'), 'utf8').split('\n')[0] ?? '';
        const made = join(folder, JSON.parse(swap).staged);
        renameSync(join(target, 'file'), `${made}~`);
        if (moves === 2) renameSync(made, join(target, 'file'));
        await settleStaged([target], direction);
        expect(readFileSync(join(target, 'file'), 'utf8')).toBe(direction === 'forward' ? 'new' : 'old');
        expect(stagingNames()).toEqual([]);
        rmSync(join(target, 'file'));
      }
    }
  });

  it('refuses to go on where somebody else changed what it moves', async () => {
    writeFileSync(join(source, 'file'), 'new');
    writeFileSync(join(target, 'file'), 'old');
    const treeId = await backUp();
    const staged = await open(treeId);
    await staged.complete();
    writeFileSync(join(target, 'other'), "somebody's");
    renameSync(join(target, 'other'), join(target, 'file'));
    await expect(staged.swap()).rejects.toMatchObject({ code: 'target-changed' });
    await staged[Symbol.asyncDispose]();
    // Nothing of what was there is removed.
    expect(stagingNames()).toHaveLength(1);
    await expect(settleStaged([target], 'back')).rejects.toMatchObject({ code: 'target-changed' });
  });

  it('restores a single file, and a directory that is not there', async () => {
    const file = join(target, 'file');
    writeFileSync(join(target, 'beside'), 'beside');
    writeFileSync(join(source, 'a'), 'a');
    for (const [from, to] of [
      [join(source, 'a'), file],
      [source, join(target, 'directory')],
    ] as const) {
      await using staged = await open(await backUp(from), to);
      await staged.stage();
      await staged.complete();
      await staged.swap();
      staged.finish();
      await staged[Symbol.asyncDispose]();
      expect(compareTrees(from, to)).toEqual([]);
    }
    expect(readdirSync(target).sort()).toEqual(['beside', 'directory', 'file']);
  });

  it('keeps apart what is staged for two files of one directory', async () => {
    const paths = ['one', 'two'].map((name) => join(target, name));
    const staged: StagedRestore[] = [];
    for (const path of paths) {
      writeFileSync(path, 'old');
      writeFileSync(join(source, 'a'), `new ${path}`);
      const one = await open(await backUp(join(source, 'a')), path);
      await one.complete();
      staged.push(one);
    }
    for (const one of staged) await one.swap();
    for (const one of staged) one.finish();
    for (const one of staged) await one[Symbol.asyncDispose]();
    for (const path of paths) expect(readFileSync(path, 'utf8')).toBe(`new ${path}`);
    expect(readdirSync(target)).toEqual(['one', 'two']);
  });

  it('tells how much differs, and looks only at that again', async () => {
    for (const name of ['same', 'other', 'gone']) writeFileSync(join(target, name), name);
    for (const name of ['same', 'other', 'missing']) writeFileSync(join(source, name), name);
    for (const folder of [source, target]) utimesSync(join(folder, 'same'), 1, 1);
    writeFileSync(join(source, 'other'), 'OTHER');
    await using staged = await open(await backUp());
    expect(await staged.compare()).toEqual({ files: 2, bytes: 12, removed: 1 });
  });

  it('is told beforehand, entry by entry, with nothing written', async () => {
    mkdirSync(join(source, 'new', 'deep'), { recursive: true });
    writeFileSync(join(source, 'new', 'deep', 'file'), '12345');
    for (const name of ['same', 'other']) writeFileSync(join(source, name), name);
    copyTree(source, before);
    writeFileSync(join(source, 'other'), 'OTHER');
    rmSync(join(before, 'new'), { recursive: true });
    mkdirSync(join(before, 'gone'));
    const entries: DifferentEntry[] = [];
    const difference = await compareTarget({
      ...{ blobs, treeId: await backUp(), nodePath: ['data'], targetPath: before },
      onDifference: (entry) => entries.push(entry),
    });
    expect(difference).toEqual({ files: 2, bytes: 10, removed: 1 });
    expect(entries.map(({ change, path }) => `${change} ${path.slice(before.length)}`).sort()).toEqual([
      'made /new',
      'removed /gone',
      'replaced /other',
    ]);
    expect(readdirSync(before).sort()).toEqual(['gone', 'other', 'same']);
  });

  it('refuses a target that is a symbolic link', async () => {
    symlinkSync(source, join(place.path, 'link'));
    await expect(open(await backUp(), join(place.path, 'link'))).rejects.toMatchObject({
      code: 'target-unsafe',
    });
    expect(existsSync(join(place.path, 'link'))).toBe(true);
  });
});
