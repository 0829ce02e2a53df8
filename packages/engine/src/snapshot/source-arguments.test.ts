import { expect, it } from 'vitest';
import { toByteString } from '../format/byte-string.ts';
import { sourcesFromArguments } from './source-arguments.ts';
import { buildSourceTree } from './source-tree.ts';

const placed = (...paths: string[]): string[] =>
  sourcesFromArguments(paths).map(({ path, treePath }) => `${path} at ${treePath.join('/')}`);

it.each<readonly [readonly string[], readonly string[]]>([
  [['/srv/x'], ['/srv/x at srv/x']],
  [['/srv//x/', '/srv/./x'], ['/srv/x at srv/x']],
  [['a/b'], ['a/b at a/b']],
  [['./a/../b'], ['b at b']],
  [['../up/x'], ['../up/x at up/x']],
  [
    ['/srv/x', 'srv/y'],
    ['/srv/x at srv/x', 'srv/y at srv-1/y'],
  ],
  [
    ['/srv/x', '/srv/y', '../srv', '../../srv'],
    ['/srv/x at srv/x', '/srv/y at srv/y', '../srv at srv-1', '../../srv at srv-2'],
  ],
])('places %j as restic does', (paths, expected) => {
  expect(placed(...paths)).toEqual(expected);
});

it('replaces a directory without a name by its entries', () => {
  const top = '../'.repeat(process.cwd().split('/').length - 1);
  expect(placed(top)).toContain(`${top}tmp at tmp`);
  expect(placed('/')).toContain('/tmp at tmp');
});

it('makes one tree of sources, one within another being part of it', () => {
  const tree = buildSourceTree(sourcesFromArguments(['/srv/x', '/srv/y/z', '/srv/x/deep/er']));
  const srv = tree.children.get(toByteString('srv'));
  expect(srv).toMatchObject({ path: '/srv', isSource: false });
  expect([...(srv?.children ?? [])].map(([name, child]) => [name, child.path, child.isSource])).toEqual([
    ['x', '/srv/x', true],
    ['y', '/srv/y', false],
  ]);
});

it('refuses two sources for one place', () => {
  const sources = ['/a', '/b'].map((path) => ({ path, treePath: ['data'] as const }));
  expect(() => buildSourceTree(sources)).toThrow(expect.objectContaining({ code: 'usage-invalid' }));
});
