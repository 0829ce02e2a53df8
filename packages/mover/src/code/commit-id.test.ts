import { expect, test } from 'vitest';
import { commitIdIn } from './commit-id.ts';

const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];
const folder = '/srv/shop';

/** Finds the commit in files by their paths, and notes what was asked for. */
async function found(files: Readonly<Record<string, string>>, asked: string[] = []): Promise<string | null> {
  const read = async (names: readonly string[], mostBytes: number): Promise<string | undefined> => {
    asked.push(names.join('/'));
    const text = files[names.join('/')];
    return text !== undefined && text.length <= mostBytes ? text : undefined;
  };
  return await commitIdIn(read, [folder]);
}

test('a branch, in a file of its own or packed; the file is newer', async () => {
  const head = { '.git/HEAD': 'ref: refs/heads/feature/x\n' };
  const packed = `# pack-refs with: peeled fully-peeled sorted\n${b} refs/heads/feature/x\n^${a}\n`;
  expect(await found({ ...head, '.git/refs/heads/feature/x': `${a}\n` })).toBe(a);
  expect(await found({ ...head, '.git/packed-refs': packed })).toBe(b);
  expect(await found({ ...head, '.git/refs/heads/feature/x': `${a}\n`, '.git/packed-refs': packed })).toBe(a);
});

test('a detached head, also by SHA-256', async () => {
  expect(await found({ '.git/HEAD': `${a}\n` })).toBe(a);
  expect(await found({ '.git/HEAD': 'c'.repeat(64) })).toBe('c'.repeat(64));
});

test('one symbolic reference may lead to another, and not around for ever', async () => {
  const chain = { '.git/HEAD': 'ref: refs/heads/a', '.git/refs/heads/a': 'ref: refs/heads/b' };
  expect(await found({ ...chain, '.git/refs/heads/b': a })).toBe(a);
  expect(await found({ ...chain, '.git/refs/heads/b': 'ref: refs/heads/a' })).toBeNull();
});

test('a worktree or a submodule whose repository lies in the folder', async () => {
  const files = {
    'main/.git/worktrees/w/HEAD': 'ref: refs/heads/w\n',
    'main/.git/worktrees/w/commondir': '../..\n',
    'main/.git/refs/heads/w': `${b}\n`,
  };
  expect(await found({ ...files, '.git': 'gitdir: main/.git/worktrees/w\n' })).toBe(b);
  expect(await found({ ...files, '.git': `gitdir: ${folder}/main/.git/worktrees/w\n` })).toBe(b);
  expect(await found({ '.git': 'gitdir: ./modules/m', 'modules/m/HEAD': a })).toBe(a);
});

test('nothing outside of the folder is asked for, however it is named', async () => {
  const asked: string[] = [];
  const pointers = [
    'gitdir: /etc',
    'gitdir: ../other/.git',
    'gitdir: a/../../b',
    'gitdir: /srv/shopping/.git',
    `gitdir: ${folder}/../x`,
    'gitdir:',
    'x',
  ];
  for (const pointer of pointers) expect(await found({ '.git': pointer }, asked)).toBeNull();
  expect(new Set(asked)).toEqual(new Set(['.git']));
  expect(await found({ '.git': 'gitdir: g', 'g/HEAD': a, 'g/commondir': '../../x' })).toBeNull();
});

test('references that are none are not followed', async () => {
  const asked: string[] = [];
  for (const name of [
    '../../etc/passwd',
    'refs/../../x',
    'refs/heads/../x',
    'HEAD',
    'refs',
    'refs/',
    'refs//x',
    'refs/heads/.invalid',
    'refs/heads/a b',
    'refs/heads/a\0b',
    '/etc/passwd',
  ]) {
    expect(await found({ '.git/HEAD': `ref: ${name}` }, asked)).toBeNull();
  }
  expect(new Set(asked)).toEqual(new Set(['.git', '.git/HEAD']));
});

test('what is not a commit is none: no repository, none committed yet, garbage, far too much', async () => {
  expect(await found({})).toBeNull();
  expect(await found({ '.git/HEAD': 'ref: refs/heads/main' })).toBeNull();
  expect(await found({ '.git/HEAD': a.toUpperCase() })).toBeNull();
  expect(await found({ '.git/HEAD': `${a}\n${b}` })).toBeNull();
  expect(await found({ '.git/HEAD': 'ref: refs/heads/main', '.git/refs/heads/main': 'zzz' })).toBeNull();
  expect(await found({ '.git/HEAD': ' '.repeat(5000) + a })).toBeNull();
  expect(
    await found({ '.git/HEAD': 'ref: refs/heads/main', '.git/packed-refs': ' refs/heads/main' }),
  ).toBeNull();
});
