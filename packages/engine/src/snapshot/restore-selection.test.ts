import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomPolynomial } from '../chunker/polynomial.ts';
import { toByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { backupSources } from './backup.ts';
import { restoreSnapshot } from './restore.ts';
import type { RestoredEntry, RestoreOptions, RestoreResult } from './restore-request.ts';
import { compileSelection, type RestorePatterns } from './restore-selection.ts';

describe('compileSelection', () => {
  const selected = { isSelected: true, mayBeBelow: true };
  const nothing = { isSelected: false, mayBeBelow: false };
  const above = { isSelected: false, mayBeBelow: true };

  it.each<readonly [RestorePatterns, string, object]>([
    [{}, '/a', selected],
    [{ includes: ['/a/b'] }, '/a', above],
    [{ includes: ['/a/b'] }, '/a/b', selected],
    [{ includes: ['/a/b'] }, '/a/b/c', selected],
    [{ includes: ['/a/b'] }, '/b', nothing],
    [{ includes: ['/a/b'] }, '/a/c', nothing],
    [{ includes: ['/a/**/x'] }, '/a/1/2/3', above],
    [{ includes: ['/a/**/x'] }, '/a/1/2/x', selected],
    [{ includes: ['/a/**/x'] }, '/b/x', nothing],
    [{ includes: ['*.conf'] }, '/a', above],
    [{ includes: ['*.conf'] }, '/a/b.conf', selected],
    [{ includes: ['*.conf', '!secret.conf'] }, '/a/secret.conf', nothing],
    [{ includes: ['*.conf'] }, '/a/B.CONF', above],
    [{ includesAnyCase: ['*.Conf'] }, '/a/B.CONF', selected],
    [{ includes: ['/x'], includesAnyCase: ['/Y'] }, '/y', selected],
    [{ includes: [''] }, '/y', selected],
    [{ excludes: ['*.log'] }, '/a/b.log', nothing],
    [{ excludes: ['*.log'] }, '/a', selected],
    [{ excludes: ['*.log'] }, '/a/b.LOG', selected],
    [{ excludesAnyCase: ['*.log'] }, '/a/b.LOG', nothing],
    [{ excludes: ['/a', '!/a'] }, '/a', selected],
  ])('%j on %s', (patterns, path, selection) => {
    expect(compileSelection(patterns)(toByteString(path))).toEqual(selection);
  });

  it('refuses both kinds together', () => {
    expect(() => compileSelection({ includes: ['a'], excludesAnyCase: ['b'] })).toThrow(
      expect.objectContaining({ code: 'usage-invalid' }),
    );
  });
});

let place: TemporaryDirectory;
let target: string;
let blobs: MemoryBlobs;
let treeId: TreeId;

beforeEach(async () => {
  place = await temporaryDirectory();
  const source = join(place.path, 'source');
  target = join(place.path, 'target');
  for (const directory of ['etc/app', 'etc/other', 'home/me', 'empty']) {
    mkdirSync(join(source, directory), { recursive: true });
  }
  for (const file of ['etc/app/a.conf', 'etc/app/b.txt', 'etc/other/c.conf', 'home/me/D.CONF', 'top']) {
    writeFileSync(join(source, file), file);
    utimesSync(join(source, file), 1000, 1000);
  }
  symlinkSync('a.conf', join(source, 'etc/app/link'));
  chmodSync(join(source, 'etc'), 0o751);
  utimesSync(join(source, 'etc'), 50, 60);
  blobs = new MemoryBlobs();
  const sources = readdirSync(source).map((name) => ({
    path: join(source, name),
    treePath: [name] as const,
  }));
  treeId = (await backupSources({ writer: blobs, blobs, polynomial: randomPolynomial(), sources })).treeId;
});

afterEach(() => place[Symbol.asyncDispose]());

interface Restored extends RestoreResult {
  readonly entries: readonly RestoredEntry[];
}

async function restore(patterns: RestorePatterns, options: RestoreOptions = {}): Promise<Restored> {
  const entries: RestoredEntry[] = [];
  const result = await restoreSnapshot({
    blobs,
    treeId,
    targetDirectory: target,
    patterns,
    options,
    entries: { report: (entry) => void entries.push(entry) },
  });
  return { ...result, entries: entries.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
}

function pathsIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted();
}

describe('patterns', () => {
  it.each<readonly [RestorePatterns, readonly string[]]>([
    [{ includes: ['/etc/app/a.conf'] }, ['etc', 'etc/app', 'etc/app/a.conf']],
    [{ includes: ['other'] }, ['etc', 'etc/other', 'etc/other/c.conf']],
    [{ includesAnyCase: ['d.conf'] }, ['home', 'home/me', 'home/me/D.CONF']],
    [{ includes: ['nothing like it'] }, []],
    [
      { excludes: ['*.conf', 'empty', '/home'] },
      ['etc', 'etc/app', 'etc/app/b.txt', 'etc/app/link', 'etc/other', 'top'],
    ],
  ])('%j restores %j, directories above with their metadata', async (patterns, paths) => {
    expect(await restore(patterns)).toMatchObject({ warnings: [], failures: [] });
    expect(pathsIn(target)).toEqual(paths);
    if (!paths.includes('etc')) return;
    const { mode, mtimeMs } = lstatSync(join(target, 'etc'));
    expect({ mode: mode & 0o777, mtimeMs }).toEqual({ mode: 0o751, mtimeMs: 60_000 });
  });

  it('leave directories in which nothing is selected as they are', async () => {
    mkdirSync(join(target, 'home'), { recursive: true });
    utimesSync(join(target, 'home'), 5, 5);
    await restore({ includes: ['/etc/app/a.conf'] });
    expect(lstatSync(join(target, 'home')).mtimeMs).toBe(5000);
  });

  it('bound what is deleted', async () => {
    for (const directory of ['etc/app/extra', 'home/me', 'mixed']) {
      mkdirSync(join(target, directory), { recursive: true });
    }
    for (const file of [
      'etc/app/extra/x',
      'etc/app/old.conf',
      'home/me/old.conf',
      'mixed/gone',
      'mixed/a.keep',
    ]) {
      writeFileSync(join(target, file), 'x');
    }
    await restore({ includes: ['/etc/app'] }, { deleteExtraneous: true });
    expect(pathsIn(join(target, 'etc'))).toEqual(['app', 'app/a.conf', 'app/b.txt', 'app/link']);
    expect(pathsIn(join(target, 'home'))).toEqual(['me', 'me/old.conf']);
    await restore({ excludes: ['*.keep'] }, { deleteExtraneous: true });
    expect(pathsIn(join(target, 'home'))).toEqual(['me', 'me/D.CONF']);
    expect(pathsIn(join(target, 'mixed'))).toEqual(['a.keep']);
  });
});

describe('a dry run', () => {
  it.each<readonly [RestorePatterns, RestoreOptions]>([
    [{}, {}],
    [{}, { deleteExtraneous: true }],
    [{}, { overwrite: 'if-newer', deleteExtraneous: true }],
    [{}, { overwrite: 'if-changed' }],
    [{}, { overwrite: 'never' }],
    [{ includes: ['*.conf'] }, { deleteExtraneous: true }],
    [{ excludes: ['/etc/app', '*.keep'] }, { deleteExtraneous: true }],
  ])('writes nothing and tells what the restore then does: %j %j', async (patterns, options) => {
    const before = await restore(patterns, { ...options, dryRun: true });
    expect(readdirSync(place.path)).toEqual(['source']);
    const first = await restore(patterns, options);
    expect(before).toEqual(first);

    rmSync(join(target, 'top'), { force: true });
    for (const directory of ['etc/app/extra/deep', 'top', 'empty', 'mixed']) {
      mkdirSync(join(target, directory), { recursive: true, mode: 0o755 });
    }
    writeFileSync(join(target, 'etc/app/b.txt'), 'another content');
    writeFileSync(join(target, 'etc/app/a.conf'), 'etc/APP/a.conf');
    for (const file of ['top/file', 'etc/app/extra/x.conf', 'mixed/a.keep', 'etc/old.conf']) {
      writeFileSync(join(target, file), 'x');
    }
    const tree = () => pathsIn(target).map((path) => [path, lstatSync(join(target, path)).ctimeMs]);
    const untouched = tree();
    const preview = await restore(patterns, { ...options, dryRun: true });
    expect(tree()).toEqual(untouched);
    expect(preview).toEqual(await restore(patterns, options));
  });

  it('has nothing to verify', async () => {
    await expect(restore({}, { dryRun: true, verify: true })).rejects.toMatchObject({
      code: 'usage-invalid',
    });
    expect(readFileSync(join(place.path, 'source', 'top'), 'utf8')).toBe('top');
  });
});
