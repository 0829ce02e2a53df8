import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { changeFoldersInContainer } from './change-folders.ts';
import { changeFolder } from './folder-change.ts';

let directory: Awaited<ReturnType<typeof mkdtempDisposable>>;
beforeEach(async () => {
  directory = await mkdtempDisposable(join(tmpdir(), 'holdfast-folders-'));
  mkdirSync(join(directory.path, 'app'));
});
afterEach(() => directory.remove());

/** The directory stands for `/srv` of another machine. */
const change = (request: Parameters<typeof changeFolder>[1]) =>
  changeFolder({ root: directory.path, base: '/srv' }, request);
const at = (path: string): string => join(directory.path, path);

describe('a folder', () => {
  test('is made where nothing is', async () => {
    const folder = '/srv/new';
    expect(await change({ kind: 'make', folder, withParents: false })).toEqual({
      kind: 'done',
      made: [folder],
    });
    const there = { kind: 'failed', errorCode: 'EEXIST' };
    expect(await change({ kind: 'make', folder, withParents: true })).toEqual(there);
    symlinkSync('nowhere', at('link'));
    expect(await change({ kind: 'make', folder: '/srv/link', withParents: false })).toEqual(there);
  });

  test('is made with those above it only where that is asked for', async () => {
    const folder = '/srv/deep/er';
    const missing = { kind: 'failed', errorCode: 'ENOENT' };
    expect(await change({ kind: 'make', folder, withParents: false })).toEqual(missing);
    expect(await change({ kind: 'make', folder, withParents: true })).toMatchObject({ kind: 'done' });
    expect(existsSync(at('deep/er'))).toBe(true);
  });
});

describe('places that are bound', () => {
  const places = [
    { path: '/srv/app/data/deep', isFile: false },
    { path: '/srv/app/conf/settings', isFile: true },
    { path: '/srv/app/conf/there', isFile: true },
    { path: '/etc/passwd', isFile: true },
    // As long as the folder that stands for the other machine's.
    { path: '/opt/app/else', isFile: true },
  ];
  const request = { kind: 'places' as const, folder: '/srv/app', places, links: 'skip' as const };

  test('are made within the folder, and what is there stays', async () => {
    mkdirSync(at('app/conf'));
    writeFileSync(at('app/conf/there'), 'kept');
    const made = ['/srv/app/data', '/srv/app/conf/settings'];
    expect(await change(request)).toEqual({ kind: 'done', made });
    expect(existsSync(at('app/data/deep'))).toBe(true);
    expect(readdirSync(at('app')).sort()).toEqual(['conf', 'data']);
    expect([
      readFileSync(at('app/conf/settings'), 'utf8'),
      readFileSync(at('app/conf/there'), 'utf8'),
    ]).toEqual(['', 'kept']);
    expect(await change({ kind: 'remove', paths: made })).toEqual({ kind: 'done', made: [] });
    expect([existsSync(at('app/data')), existsSync(at('app/conf/there'))]).toEqual([false, true]);
  });

  test('are not made through a link: it is told, or left to its owner', async () => {
    mkdirSync(at('elsewhere'));
    symlinkSync('../elsewhere', at('app/conf'));
    expect(await change({ ...request, links: 'refuse' })).toEqual({ kind: 'link', path: '/srv/app/conf' });
    expect(await change(request)).toEqual({ kind: 'done', made: [] });
    expect(existsSync(at('elsewhere/settings'))).toBe(false);
  });
});

test('a file is written in the place of whatever has its name', async () => {
  writeFileSync(at('precious'), 'precious');
  symlinkSync('../precious', at('app/note'));
  expect(await change({ kind: 'write', path: '/srv/app/note', text: 'new' })).toMatchObject({ kind: 'done' });
  expect([readFileSync(at('app/note'), 'utf8'), readFileSync(at('precious'), 'utf8')]).toEqual([
    'new',
    'precious',
  ]);
  expect(await change({ kind: 'write', path: '/srv/app', text: '' })).toMatchObject({ kind: 'failed' });
  expect(readdirSync(directory.path).sort()).toEqual(['app', 'precious']);
  rmSync(at('app'), { recursive: true });
  const gone = await change({ kind: 'write', path: '/srv/app/note', text: 'new' });
  expect(gone).toEqual({ kind: 'failed', errorCode: 'ENOENT' });
});

test('a container never gets the root of the machine', async () => {
  const unexpected = async (): Promise<never> => {
    throw new Error('No container was expected.');
  };
  const changeFolders = changeFoldersInContainer({
    docker: { containers: { create: unexpected } as never },
    image: unexpected,
    resolvePaths: async (paths) => paths.map((path) => ({ resolved: true, path, type: 'nothing' })),
  });
  const request = { kind: 'make', folder: '/new/app', withParents: true } as const;
  expect(await changeFolders(request, {})).toEqual({ kind: 'failed', errorCode: 'ENOENT' });
});
