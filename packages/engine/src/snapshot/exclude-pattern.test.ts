import { describe, expect, it } from 'vitest';
import { toByteString } from '../format/byte-string.ts';
import { compileExcludes } from './exclude-pattern.ts';

describe('compileExcludes', () => {
  it.each<readonly [string, string, boolean]>([
    ['*.log', '/srv/app/a.log', true],
    ['*.log', '/srv/app/a.log.gz', false],
    ['cache', '/srv/cache', true],
    ['cache', '/srv/cached', false],
    ['/srv/cache', '/srv/cache', true],
    ['/srv/cache', '/other/srv/cache', false],
    ['app/tmp', '/srv/app/tmp', true],
    ['app/tmp', '/srv/app/x/tmp', false],
    ['/srv/**/tmp', '/srv/tmp', true],
    ['/srv/**/tmp', '/srv/a/b/tmp', true],
    ['/srv/**/tmp', '/tmp', false],
    ['file?', '/file1', true],
    ['file?', '/fileä', true],
    ['file?', '/file', false],
    ['[a-c]x', '/bx', true],
    ['[^a-c]x', '/bx', false],
    ['[^a-c]x', '/dx', true],
    ['\\*', '/*', true],
    ['\\*', '/a', false],
    ['a\\?', '/a?', true],
    ['a.b', '/axb', false],
    ['(a|b)+$', '/(a|b)+$', true],
    ['dir/', '/x/dir', true],
    ['*', '/anything', true],
  ])('%s on %s: %s', (pattern, path, isExcluded) => {
    expect(compileExcludes({ excludes: [pattern] })(toByteString(path))).toBe(isExcluded);
  });

  it('leaves out nothing without patterns', () => {
    expect(compileExcludes({})(toByteString('/a'))).toBe(false);
    expect(compileExcludes({ excludes: [''] })(toByteString('/a'))).toBe(false);
  });

  it('takes back with ! what earlier patterns left out, and leaves out again', () => {
    const isExcluded = compileExcludes({ excludes: ['*.log', '!keep.log', '/old/keep.log'] });
    expect(['/a.log', '/x/keep.log', '/old/keep.log'].map((path) => isExcluded(toByteString(path)))).toEqual([
      true,
      false,
      true,
    ]);
  });

  it.each(['[', 'a[b', 'x\\', '[z-a]', '[]'])('refuses %s', (pattern) => {
    expect(() => compileExcludes({ excludes: [pattern] })).toThrow(
      expect.objectContaining({ code: 'usage-invalid' }),
    );
  });
});
