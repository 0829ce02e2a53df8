import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomPolynomial } from '../chunker/polynomial.ts';
import type { TreeId } from '../format/ids.ts';
import { backupSources } from '../snapshot/backup.ts';
import { compareTrees } from '../testing/compare-trees.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { changeRandomly, copyTree } from '../testing/random-tree.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import type { ChosenPath } from './chosen.ts';
import { compareTarget } from './compare-target.ts';
import type { DifferentEntry, StageRequest } from './stage-request.ts';
import { openStagedRestore, settleStaged } from './staged-restore.ts';

const polynomial = randomPolynomial();

let place: TemporaryDirectory;
let source: string;
let target: string;
let expected: string;
let blobs: MemoryBlobs;

beforeEach(async () => {
  place = await temporaryDirectory();
  [source, target, expected] = ['source', 'target', 'expected'].map((name) => join(place.path, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(source);
  mkdirSync(target);
  blobs = new MemoryBlobs();
});

afterEach(() => place[Symbol.asyncDispose]());

async function backUp(): Promise<TreeId> {
  const sources = [{ path: source, treePath: ['data'] as const }];
  return (await backupSources({ writer: blobs, blobs, polynomial, sources })).treeId;
}

const pathOf = (text: string): ChosenPath => text.split('/') as [string, ...string[]];

async function restore(treeId: TreeId, paths: readonly string[], targetPath = target): Promise<void> {
  await restoreWith({ treeId, targetPath, only: paths.map(pathOf) });
}

async function restoreWith(
  request: Pick<StageRequest, 'treeId' | 'only' | 'kept'> & { readonly targetPath?: string },
): Promise<void> {
  await using staged = await openStagedRestore({
    ...{ blobs, nodePath: ['data'], targetPath: target },
    ...request,
  });
  await staged.stage();
  await staged.complete();
  await staged.swap();
  staged.finish();
  expect(staged.warnings).toEqual([]);
}

function entriesOf(folder: string, above = ''): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = above === '' ? entry.name : `${above}/${entry.name}`;
    return entry.isDirectory() ? [path, ...entriesOf(join(folder, entry.name), path)] : [path];
  });
}

/** Puts one path of the source into `expected`, and leaves everything else there as it is, with its times. */
function expectPath(path: string): void {
  const names = path.split('/');
  const above = names.slice(0, -1).map((_, index) => names.slice(0, index + 1).join('/'));
  const missing = above.filter((each) => !existsSync(join(expected, each)));
  const kept = ['', ...above.filter((each) => !missing.includes(each))].map((each) => {
    return [join(expected, each), statSync(join(expected, each))] as const;
  });
  for (const each of missing) mkdirSync(join(expected, each));
  rmSync(join(expected, path), { recursive: true, force: true });
  copyTree(join(source, path), join(expected, path));
  for (const each of missing.toReversed()) {
    const { mode, atime, mtime } = statSync(join(source, each));
    chmodSync(join(expected, each), mode & 0o7777);
    utimesSync(join(expected, each), atime, mtime);
  }
  for (const [each, { atime, mtime }] of kept) utimesSync(each, atime, mtime);
}

/** What comes before a path in the target and is no directory. */
function isBlocked(path: string): boolean {
  const names = path.split('/');
  return names.slice(0, -1).some((_, index) => {
    const above = lstatSync(join(target, ...names.slice(0, index + 1)), { throwIfNoEntry: false });
    return above !== undefined && !above.isDirectory();
  });
}

const wholeMilliseconds = (folder: string): void => {
  for (const path of ['', ...entriesOf(folder)]) {
    const full = join(folder, path);
    if (!lstatSync(full).isDirectory()) continue;
    utimesSync(full, 1_000_000, 1_000_000 + path.length);
  }
};

describe('a restore of one path', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'changes that, and nothing else; undone, it changed nothing (%i)',
    async (seed) => {
      const random = new SeededRandom(seed);
      changeRandomly(source, random, 40);
      rmSync(target, { recursive: true });
      copyTree(source, target);
      changeRandomly(target, random, 20);
      for (const folder of [source, target]) wholeMilliseconds(folder);
      const paths = entriesOf(source);
      const path = paths[random.integer(paths.length)];
      if (path === undefined) return;
      copyTree(target, expected);
      const treeId = await backUp();
      if (isBlocked(path)) {
        await expect(restore(treeId, [path])).rejects.toMatchObject({ code: 'target-unsafe' });
        expect(compareTrees(expected, target)).toEqual([]);
        return;
      }
      const only = [pathOf(path)];
      const staged = await openStagedRestore({ blobs, treeId, nodePath: ['data'], targetPath: target, only });
      await staged.complete();
      await staged.swap();
      await settleStaged([target], 'back');
      await staged[Symbol.asyncDispose]();
      expect(compareTrees(expected, target)).toEqual([]);
      await restore(treeId, [path]);
      expectPath(path);
      expect(compareTrees(expected, target)).toEqual([]);
    },
  );
});

describe('a restore of some paths', () => {
  it('makes missing directories above them as the backup has them, with nothing else in them', async () => {
    mkdirSync(join(source, 'a/b'), { recursive: true });
    for (const name of ['a/other', 'a/b/file', 'a/b/other', 'top']) writeFileSync(join(source, name), name);
    chmodSync(join(source, 'a'), 0o750);
    utimesSync(join(source, 'a'), 5, 5);
    const only = ['a/b/file', 'top'];
    const treeId = await backUp();
    writeFileSync(join(target, 'mine'), 'mine');
    await restore(treeId, only);
    expect(entriesOf(target).sort()).toEqual(['a', 'a/b', 'a/b/file', 'mine', 'top']);
    const { mode, mtimeMs } = statSync(join(target, 'a'));
    expect([mode & 0o777, mtimeMs]).toEqual([0o750, 5000]);
    const fresh = join(place.path, 'fresh');
    await restore(treeId, only, fresh);
    expect(entriesOf(fresh).sort()).toEqual(['a', 'a/b', 'a/b/file', 'top']);
  });

  it('takes one that lies beneath another as a part of that, in whatever order', async () => {
    mkdirSync(join(source, 'a/b'), { recursive: true });
    for (const name of ['a/one', 'a/b/two']) writeFileSync(join(source, name), name);
    const treeId = await backUp();
    for (const paths of [
      ['a', 'a/b/two'],
      ['a/b/two', 'a'],
    ]) {
      rmSync(target, { recursive: true });
      mkdirSync(target);
      await restore(treeId, paths);
      expect(entriesOf(target).sort()).toEqual(['a', 'a/b', 'a/b/two', 'a/one']);
    }
  });

  it('removes what a chosen directory did not have, and only there', async () => {
    for (const folder of ['a', 'b']) {
      for (const top of [source, target]) mkdirSync(join(top, folder));
      writeFileSync(join(target, folder, 'extra'), 'extra');
    }
    await restore(await backUp(), ['a']);
    expect(entriesOf(target).sort()).toEqual(['a', 'b', 'b/extra']);
  });

  it('leaves the other names of a file alone', async () => {
    writeFileSync(join(source, 'file'), 'new');
    writeFileSync(join(target, 'file'), 'old');
    linkSync(join(target, 'file'), join(target, 'kept'));
    await restore(await backUp(), ['file']);
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('new');
    expect(readFileSync(join(target, 'kept'), 'utf8')).toBe('old');
  });

  it('is refused for what the backup does not have, before anything is made', async () => {
    writeFileSync(join(source, 'file'), 'new');
    const treeId = await backUp();
    for (const path of ['none', 'file/none', '..']) {
      await expect(restore(treeId, ['file', path])).rejects.toMatchObject({ code: 'path-unknown' });
    }
    expect(readdirSync(target)).toEqual([]);
  });

  it('never leaves the target by a link, nor removes what is in its way', async () => {
    mkdirSync(join(source, 'a'));
    writeFileSync(join(source, 'a/file'), 'new');
    const treeId = await backUp();
    const outside = join(place.path, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(target, 'a'));
    await expect(restore(treeId, ['a/file'])).rejects.toMatchObject({ code: 'target-unsafe' });
    rmSync(join(target, 'a'));
    writeFileSync(join(target, 'a'), 'a file');
    await expect(restore(treeId, ['a/file'])).rejects.toMatchObject({ code: 'target-unsafe' });
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('a file');
    expect(readdirSync(outside)).toEqual([]);
    expect(readdirSync(target)).toEqual(['a']);
  });

  it('is told beforehand, with what of it differs', async () => {
    mkdirSync(join(source, 'new/deep'), { recursive: true });
    for (const name of ['new/deep/one', 'new/deep/two', 'other']) writeFileSync(join(source, name), '12345');
    const entries: DifferentEntry[] = [];
    const difference = await compareTarget({
      ...{ blobs, treeId: await backUp(), nodePath: ['data'], targetPath: target },
      only: [pathOf('new/deep/one')],
      onDifference: (entry) => entries.push(entry),
    });
    expect(difference).toEqual({ files: 1, bytes: 5, removed: 0 });
    expect(entries.map(({ change, path }) => `${change} ${path.slice(dirname(target).length)}`)).toEqual([
      'made /target/new',
    ]);
    expect(readdirSync(target)).toEqual([]);
  });
});

describe('a restore beside what is to stay', () => {
  const kept = ['.git', 'data/db', 'gone/deep/kept'].map(pathOf);

  function fill(top: string, names: readonly string[], content: string): void {
    for (const name of names) {
      mkdirSync(dirname(join(top, name)), { recursive: true });
      writeFileSync(join(top, name), content);
    }
  }

  it('neither replaces, removes nor moves it, and makes it where it is not there', async () => {
    fill(source, ['.git/HEAD', 'app', 'data/db/rows', 'data/readme'], 'backup');
    fill(
      target,
      ['.git/HEAD', '.git/new', 'app', 'extra', 'data/extra', 'gone/deep/kept/a', 'gone/b'],
      'now',
    );
    const treeId = await backUp();
    const { ino } = statSync(join(target, '.git'));
    wholeMilliseconds(target);
    copyTree(target, expected);
    const staged = await openStagedRestore({ blobs, treeId, nodePath: ['data'], targetPath: target, kept });
    await staged.complete();
    await staged.swap();
    await settleStaged([target], 'back');
    await staged[Symbol.asyncDispose]();
    expect(compareTrees(expected, target)).toEqual([]);

    await restoreWith({ treeId, kept });
    const files = entriesOf(target).filter((path) => statSync(join(target, path)).isFile());
    expect(Object.fromEntries(files.map((path) => [path, readFileSync(join(target, path), 'utf8')]))).toEqual(
      {
        '.git/HEAD': 'now',
        '.git/new': 'now',
        app: 'backup',
        'data/db/rows': 'backup',
        'data/readme': 'backup',
        'gone/deep/kept/a': 'now',
      },
    );
    expect(statSync(join(target, '.git')).ino).toBe(ino);
  });

  it('is refused where a directory that holds it would become a file', async () => {
    fill(source, ['data'], 'backup');
    fill(target, ['data/db/rows'], 'now');
    const treeId = await backUp();
    await expect(restoreWith({ treeId, kept })).rejects.toMatchObject({ code: 'target-unsafe' });
    expect(entriesOf(target)).toEqual(['data', 'data/db', 'data/db/rows']);
  });
});
