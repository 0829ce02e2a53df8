import { describe, expect, it } from 'vitest';
import { goModeOf, nodeTypeOf, permissionsOf } from './go-file-mode.ts';

describe('Go file modes', () => {
  it.each([
    ['file', 0o100644, 420],
    ['file', 0o100000, 0],
    ['dir', 0o040755, 2147484141],
    ['dir', 0o041777, 2148532735],
    ['file', 0o106755, 12583405],
    ['symlink', 0o120777, 134218239],
    ['fifo', 0o010644, 33554852],
    ['dev', 0o060660, 67109296],
    ['chardev', 0o020600, 69206400],
    ['socket', 0o140755, 16777709],
  ])('keeps a %s of mode %o as restic does', (type, unixMode, goMode) => {
    expect(nodeTypeOf(unixMode)).toBe(type);
    expect(goModeOf(unixMode)).toBe(goMode);
    expect(permissionsOf(goMode)).toBe(unixMode & 0o7777);
  });

  it('gives back all permission and special bits', () => {
    for (let bits = 0; bits <= 0o7777; bits += 1) expect(permissionsOf(goModeOf(0o100000 | bits))).toBe(bits);
  });
});
