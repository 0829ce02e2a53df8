import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { importBytes, testPolynomial } from '../testing/import-bytes.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type TarMemberBytes, tarEndBytes, tarMember, tarOf } from '../testing/tar-bytes.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { archiveFormatOf } from './archive-format.ts';
import { defaultArchiveLimits } from './archive-limits.ts';
import { importArchive } from './import-archive.ts';

const file = { path: 'file', content: 'x' };
const link = { path: 'link', type: '2', linkPath: '/etc' };

/** Why it is refused, and which entry; `undefined` if it is not. */
async function refusal(bytes: Buffer, limits = {}): Promise<unknown> {
  try {
    await using _ = await importBytes(bytes, limits);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^archive-/), hint: expect.any(String) });
    const { code, context } = error as { code: string; context: Record<string, unknown> };
    return [code, context.entry ?? context.limit, context.reason ?? context.value];
  }
}

describe('an archive is refused by the name of an entry', () => {
  const outside: [string, string, RegExp][] = [
    ['that climbs', 'a/../../b', /\.\./],
    ['that climbs at once', '../b', /\.\./],
    ['that climbs after a dot', './../b', /\.\./],
    ['that is ".."', '..', /\.\./],
    ['that is absolute', '/etc/passwd', /absolute/],
    ['that is absolute after a dot', './/etc/passwd', /empty/],
    ['that has an empty name', 'a//b', /empty/],
    ['that has a dot within', 'a/./b', /"\."/],
    ['that begins with two dots and slashes', '././a', /"\."/],
    ['without a name', '', /empty/],
  ];
  it.each(outside)('%s', async (_, path, reason) => {
    const expected = ['archive-refused', path, expect.stringMatching(reason)];
    expect(await refusal(tarOf(file, { path, content: 'x' }))).toEqual(expected);
  });

  it.each(outside)('%s, also as the target of a hard link', async (_, linkPath, reason) => {
    const expected = ['archive-refused', 'h', expect.stringMatching(reason)];
    expect(await refusal(tarOf(file, { path: 'h', type: '1', linkPath }))).toEqual(expected);
  });

  it('that has a zero byte, or is longer than any can be', async () => {
    const named = (path: string | Buffer): Buffer => tarOf({ ...file, pax: { path } });
    expect(await refusal(named('a\0b'))).toEqual(['archive-refused', 'a\\x00b', expect.any(String)]);
    expect(await refusal(named('n'.repeat(256)))).toMatchObject({ 0: 'archive-refused' });
    expect(await refusal(named('n/'.repeat(9000)))).toMatchObject({ 0: 'archive-refused' });
    expect(await refusal(named('n'.repeat(255)))).toBeUndefined();
  });

  it.each([
    ['3', /character device/],
    ['4', /block device/],
    ['6', /pipe/],
    ['S', /holes/],
    ['V', /not known/],
    ['D', /not known/],
    ['M', /not known/],
    ['X', /not known/],
  ])('that is of the type %s', async (type, reason) => {
    const expected = ['archive-refused', 'odd', expect.stringMatching(reason)];
    expect(await refusal(tarOf(file, { path: 'odd', type }))).toEqual(expected);
  });

  const inTheWay: [string, TarMemberBytes[], string][] = [
    ['beneath a symbolic link', [link, { path: 'link/passwd', content: 'x' }], 'link/passwd'],
    ['far beneath a symbolic link', [link, { path: 'link/a/b/c', content: 'x' }], 'link/a/b/c'],
    ['beneath a file', [file, { path: 'file/a', type: '5' }], 'file/a'],
    ['that was a file, as a directory', [file, { path: 'file/', type: '5' }], 'file'],
    ['that was a file, as a link', [file, { path: 'file', type: '2', linkPath: 'x' }], 'file'],
    ['that was a link, as a file', [link, { path: 'link', content: 'x' }], 'link'],
    ['that was a directory, as a file', [{ path: 'a/b' }, { path: 'a', content: 'x' }], 'a'],
    ['that was a directory, as a link', [{ path: 'a/b' }, { ...link, path: 'a' }], 'a'],
    ['that is the top, as a file', [{ path: '.', content: '' }], '.'],
    ['that is the top, as a link', [{ path: '.', type: '2', linkPath: '/' }], '.'],
    ['that is a hard link to nothing', [{ path: 'h', type: '1', linkPath: 'file' }, file], 'h'],
    ['that is a hard link to a directory', [{ path: 'a/b' }, { path: 'h', type: '1', linkPath: 'a' }], 'h'],
    [
      'that is a hard link through a symbolic link',
      [
        { path: 'etc/passwd' },
        { ...link, linkPath: 'etc' },
        { path: 'h', type: '1', linkPath: 'link/passwd' },
      ],
      'h',
    ],
    [
      'that is beneath another name of a symbolic link',
      [link, { path: 'h', type: '1', linkPath: 'link' }, { path: 'h/passwd', content: 'x' }],
      'h/passwd',
    ],
    [
      'that is a symbolic link in place of a file, by a hard link',
      [file, link, { path: 'file', type: '1', linkPath: 'link' }],
      'file',
    ],
    [
      'that is a hard link beneath a link',
      [link, file, { path: 'link/h', type: '1', linkPath: 'file' }],
      'link/h',
    ],
    [
      'that is a hard link in place of a link',
      [link, file, { path: 'link', type: '1', linkPath: 'file' }],
      'link',
    ],
    ['that is a link to nowhere', [{ ...link, linkPath: '' }], 'link'],
    ['that is a link to a zero byte', [{ ...link, pax: { linkpath: 'a\0b' } }], 'link'],
    ['that is a link to too much', [{ ...link, pax: { linkpath: 'a'.repeat(5000) } }], 'link'],
    ['that is a directory with a content', [{ path: 'a', type: '5', content: 'x' }], 'a'],
  ];
  it.each(inTheWay)('%s', async (_, members, entry) => {
    expect(await refusal(tarOf(...members))).toEqual(['archive-refused', entry, expect.any(String)]);
  });

  it('whose extended header says that it is sparse', async () => {
    const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.name': 'real' };
    expect(await refusal(tarOf({ ...file, pax }))).toEqual(['archive-refused', 'real', expect.any(String)]);
  });

  it('whose extended header would fill the memory', async () => {
    const header = tarMember({ path: 'long', type: 'L', claimedBytes: 8_000_000_000 });
    expect(await refusal(Buffer.concat([header, tarEndBytes]))).toMatchObject({ 0: 'archive-refused' });
  });
});

describe('an archive is stopped at the limit', () => {
  it('of entries, with the directories that were made', async () => {
    const many = tarOf(...Array.from({ length: 50 }, (_, at) => ({ path: `f${at}` })));
    expect(await refusal(many, { entries: 49 })).toEqual(['archive-limit-reached', 'entries', 49]);
    expect(await refusal(many, { entries: 50 })).toBeUndefined();
    const deep = tarOf({ path: 'a/'.repeat(49) });
    expect(await refusal(deep, { entries: 48 })).toEqual(['archive-limit-reached', 'entries', 48]);
    expect(await refusal(deep, { entries: 49 })).toBeUndefined();
  });

  it('of bytes, whatever a header says', async () => {
    const tar = tarOf({ path: 'a', content: Buffer.alloc(100_000) });
    const reached = ['archive-limit-reached', 'unpackedBytes', 100_000];
    for (const bytes of [tar, gzipSync(tar), zstdCompressSync(tar)])
      expect(await refusal(bytes, { unpackedBytes: 100_000 })).toEqual(reached);
  });

  it('of how much it grows, also by zeros after its end', async () => {
    const zeros = Buffer.alloc(120 * 1024 * 1024);
    const reached = ['archive-limit-reached', 'ratio', 1000];
    const pack = (bytes: Buffer): Buffer => zstdCompressSync(bytes);
    expect(await refusal(pack(tarOf({ path: 'a', content: zeros })))).toEqual(reached);
    expect(await refusal(pack(Buffer.concat([tarOf(file), zeros])))).toEqual(reached);
    expect(
      await refusal(pack(tarOf({ path: 'a', content: zeros.subarray(0, 90 * 1024 * 1024) }))),
    ).toBeUndefined();
  });
});

describe('what is no archive', () => {
  it.each([
    ['a dump', Buffer.from('-- PostgreSQL database dump\n'.repeat(100))],
    ['a compressed dump', gzipSync('-- PostgreSQL database dump\n'.repeat(100))],
    ['another compressed dump', zstdCompressSync('-- PostgreSQL database dump\n'.repeat(100))],
    ['nothing', Buffer.alloc(0)],
    ['a few bytes', Buffer.from([0x1f, 0x8b, 8])],
    ['zeros', Buffer.alloc(10_240)],
  ])('is known as none: %s', async (_, bytes) => {
    await using work = await temporaryDirectory();
    const path = join(work.path, 'archive.tar.gz');
    writeFileSync(path, bytes);
    expect(await archiveFormatOf(path)).toBeUndefined();
    expect(await refusal(bytes)).toMatchObject({ 0: 'archive-refused' });
  });

  it('may be missing', async () => {
    const limits = defaultArchiveLimits;
    const request = {
      path: '/nowhere/archive',
      writer: new MemoryBlobs(),
      polynomial: testPolynomial,
      limits,
    };
    await expect(importArchive(request)).rejects.toMatchObject({ code: 'source-missing' });
  });
});
