import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { isHoldfastError } from '@holdfast/base';
import { describe, expect, it } from 'vitest';
import { unixMode } from '../format/go-file-mode.ts';
import { importBytes } from '../testing/import-bytes.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { tarEndBytes, tarMember, tarOf } from '../testing/tar-bytes.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { zipOf } from '../testing/zip-bytes.ts';

const members = [
  { path: 'dir/', type: '5' },
  { path: 'short', content: 'x', pax: { path: 'dir/long', mtime: '1.5', 'SCHILY.xattr.user.a': 'b' } },
  { path: 'dir/large', content: testBytes('large', 700_000) },
  { path: 'hard', type: '1', linkPath: 'dir/large' },
  { path: 'symbolic', type: '2', linkPath: '/etc' },
  { path: 'empty' },
] as const;
const tar = tarOf(...members);
const withSum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

/** The code that it fails with, `taken` if it does not; anything else that is thrown is thrown on. */
async function outcome(bytes: Buffer): Promise<string> {
  try {
    await using imported = await importBytes(bytes);
    await imported.archive.saveTree('');
    return 'taken';
  } catch (error) {
    if (isHoldfastError(error) && error.code !== 'internal') return error.code;
    throw error;
  }
}

function* cuts(bytes: Buffer, count: number): Generator<number, void> {
  const random = new SeededRandom(bytes.length);
  for (let cut = 0; cut < count; cut += 1) yield random.integer(bytes.length);
  for (let before = 1; before <= 20; before += 1) yield bytes.length - before;
}

describe('an archive that is cut off', () => {
  it.each([
    ['gzip', gzipSync(tar)],
    ['zstd', zstdCompressSync(tar)],
    ['zstd with checksums', zstdCompressSync(tar, withSum)],
    ['gzip in members', Buffer.concat([gzipSync(tar.subarray(0, 5000)), gzipSync(tar.subarray(5000))])],
    [
      'zstd in frames',
      Buffer.concat([zstdCompressSync(tar.subarray(0, 5000)), zstdCompressSync(tar.subarray(5000))]),
    ],
  ])('is never taken: %s', async (_, bytes) => {
    expect(await outcome(bytes)).toBe('taken');
    for (const at of cuts(bytes, 40)) {
      expect(await outcome(bytes.subarray(0, at)), `cut at ${at}`).toMatch(/^archive-(damaged|refused)$/);
    }
  });

  it('is never taken before its end mark: tar', async () => {
    const end = tar.length - tarEndBytes.length;
    for (const at of cuts(tar.subarray(0, end + 1), 60))
      expect(await outcome(tar.subarray(0, at)), `cut at ${at}`).toMatch(/^archive-(damaged|refused)$/);
    for (let at = 512; at <= end; at += 512 * 97)
      expect(await outcome(tar.subarray(0, at))).toBe('archive-damaged');
    expect(await outcome(tar.subarray(0, end))).toBe('archive-damaged');
    expect(await outcome(tar.subarray(0, end + 512))).toBe('taken');
  });

  it('is damaged when it ends after a header for the next entry', async () => {
    const extended = tarMember({ path: 'x', pax: { path: 'y' } }).subarray(0, 1024);
    const long = tarMember({ path: 'x', type: 'L', content: 'y' });
    for (const header of [extended, long]) {
      expect(await outcome(header)).toBe('archive-damaged');
      expect(await outcome(Buffer.concat([header, tarEndBytes]))).toBe('archive-damaged');
    }
  });
});

describe('an archive with something after its end', () => {
  const more = Buffer.from('something more'.padEnd(512));
  it.each([
    ['tar', Buffer.concat([tar, more])],
    ['tar with another', Buffer.concat([tar, tar])],
    ['tar with a single zero block', Buffer.concat([tar.subarray(0, -512), tar])],
    ['gzip', Buffer.concat([gzipSync(tar), more])],
    ['gzip after zeros', Buffer.concat([gzipSync(tar), Buffer.alloc(99), more])],
    ['gzip of more', gzipSync(Buffer.concat([tar, more]))],
    ['zstd', Buffer.concat([zstdCompressSync(tar), more])],
    ['zstd with another', Buffer.concat([zstdCompressSync(tar), zstdCompressSync(tar)])],
  ])('is damaged: %s', async (_, bytes) => {
    expect(await outcome(bytes)).toBe('archive-damaged');
  });
});

describe('a header', () => {
  it('is proven by its checksum, whatever differs', async () => {
    const second = 512;
    for (let at = 0; at < 512; at += 3) {
      const changed = Buffer.from(tarOf({ path: 'a/', type: '5' }, { path: 'b', content: 'x' }));
      changed.writeUInt8((changed.readUInt8(second + at) + 1) & 0xff, second + at);
      // Blanks and zeros around the sum itself mean nothing.
      if (at >= 148 + 6 && at < 156) continue;
      expect(await outcome(changed), `byte ${at}`).toBe('archive-damaged');
    }
  });

  it.each([
    ['no length', 'path=x\n'],
    ['a length that is too long', '99 path=x\n'],
    ['a length that is too short', '4 path=x\n'],
    ['no value', '9 pathxx\n'],
    ['no key', '5 =xx\n'.replace('5', '6')],
    ['no line end', '9 path=xy'],
    ['zeros', '\0\0\0\0'],
    ['something between', '9 path=x\n\n9 path=x\n'],
    ['a time that is none', '16 mtime=1.2.34\n'],
    ['an owner that is none', '10 uid=-1\n'],
    ['a size that is none', '10 size=x\n'],
  ])('with extended records is read to the letter: %s', async (_, content) => {
    const bytes = Buffer.concat([tarMember({ path: 'pax', type: 'x', content }), tarOf({ path: 'a' })]);
    expect(await outcome(bytes)).toBe('archive-damaged');
  });

  it('for all entries gives none of them its path or size', async () => {
    const global = tarMember({ path: 'pax', type: 'g', content: '10 path=x\n' });
    expect(await outcome(Buffer.concat([global, tar]))).toBe('archive-damaged');
  });
});

describe('an archive with any bytes changed', () => {
  const small = tarOf(
    ...members.map((member) => ('content' in member ? { ...member, content: 'x' } : member)),
  );
  const zip = zipOf([
    { name: 'dir/' },
    { name: 'dir/file', content: testBytes('zip', 2000) },
    { name: 'link', content: Buffer.from('x'), mode: unixMode.symlink | 0o777 },
  ]);
  it.each([
    ['tar', small],
    ['gzip', gzipSync(small)],
    ['zstd', zstdCompressSync(small)],
    ['zip', zip],
  ])('is taken or refused, and nothing else: %s', async (_, bytes) => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 80; round += 1) {
      const changed = Buffer.from(bytes);
      for (let change = random.integer(4); change >= 0; change -= 1)
        changed.writeUInt8(random.integer(256), random.integer(changed.length));
      expect(await outcome(changed), `round ${round}`).toMatch(/^(taken|archive-.*)$/);
    }
  });
});
