import { describe, expect, it } from 'vitest';
import { unixMode } from '../format/go-file-mode.ts';
import { importBytes } from '../testing/import-bytes.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { type ZipMember, zipOf } from '../testing/zip-bytes.ts';

const file = { name: 'file', content: Buffer.from('x') };

async function refusal(bytes: Buffer, limits = {}): Promise<unknown> {
  try {
    await using _ = await importBytes(bytes, limits);
    return undefined;
  } catch (error) {
    const { code, context } = error as { code: string; context: Record<string, unknown> };
    return [code, context.entry ?? context.limit];
  }
}

/** Info-ZIP's: the time of the last change in UTC, and the owner's numbers. */
const unixFields = Buffer.concat([
  Buffer.from([0x55, 0x54, 5, 0, 1, 0, 0, 0, 0x40]),
  Buffer.from([0x75, 0x78, 11, 0, 1, 4, 0xe8, 3, 0, 0, 4, 0xe9, 3, 0, 0]),
]);

describe('a zip archive', () => {
  it('is imported with the modes, owners, times and links that it has', async () => {
    const large = testBytes('large', 1_500_000);
    await using imported = await importBytes(
      zipOf([
        { name: 'dir/', mode: unixMode.directory | 0o750 },
        { name: 'dir/größe', content: large, mode: unixMode.regular | 0o4755, extra: unixFields },
        { name: 'dir/stored', content: Buffer.from('as it is'), isStored: true },
        { name: 'link', content: Buffer.from('/etc/ssl'), mode: unixMode.symlink | 0o777 },
        { name: 'made/empty', mode: unixMode.regular | 0o600 },
      ]),
    );
    const { archive } = imported;
    expect(archive.format).toBe('zip');
    const nodes = await imported.nodes();
    expect([...nodes.keys()]).toEqual(['', 'dir', 'dir/größe', 'dir/stored', 'link', 'made', 'made/empty']);
    expect(nodes.get('dir')).toMatchObject({ mode: 2 ** 31 + 0o750, uid: 0 });
    expect(nodes.get('dir/größe')).toMatchObject({
      ...{ mode: 0o755 + 2 ** 23, size: 1_500_000, uid: 1000, gid: 1001 },
      modifiedAt: { seconds: 2 ** 30, nanoseconds: 0 },
    });
    expect(nodes.get('dir/stored')).toMatchObject({
      ...{ mode: 0o644, modifiedAt: { seconds: Date.UTC(2001, 1, 3, 4, 5, 6) / 1000 } },
    });
    expect(nodes.get('link')).toMatchObject({ type: 'symlink', linkTarget: '/etc/ssl' });
    expect(await archive.bytesOf('dir/größe')).toEqual(large);
    expect(await archive.textOf('made/empty')).toBe('');
  });

  it('is imported when it was made on Windows', async () => {
    await using imported = await importBytes(
      zipOf([
        { name: 'a\\b\\c.txt', content: Buffer.from('x'), flags: 0 },
        { name: Buffer.from([0x81, 0x2e]), content: Buffer.from('y'), flags: 0 },
      ]),
    );
    expect([...(await imported.nodes()).keys()]).toEqual(['', 'a', 'a/b', 'a/b/c.txt', 'ü.']);
  });

  it('may be empty', async () => {
    await using imported = await importBytes(zipOf([]));
    expect([...(await imported.nodes()).keys()]).toEqual(['']);
  });

  it('finds a text again that it did not keep', async () => {
    const deep = { name: 'a/b/c/d/e', content: Buffer.from('deep') };
    await using imported = await importBytes(zipOf([file, deep, { ...file, name: 'last' }]));
    expect(await imported.archive.textOf('a/b/c/d/e')).toBe('deep');
  });

  const refused: [string, ZipMember, string][] = [
    ['an entry that climbs', { ...file, name: '../x' }, '../x'],
    ['an entry that climbs in the way of Windows', { ...file, name: '..\\x' }, '../x'],
    ['an absolute entry', { ...file, name: '/x' }, '/x'],
    ['a device', { name: 'dev', mode: unixMode.characterDevice | 0o644 }, 'dev'],
    ['a pipe', { name: 'pipe', mode: unixMode.namedPipe | 0o644 }, 'pipe'],
    ['an encrypted entry', { ...file, name: 'secret', flags: 1 }, 'secret'],
    ['a way of compression that is not known', { ...file, name: 'lzma', method: 14 }, 'lzma'],
    ['an entry beneath a link', { ...file, name: 'link/x' }, 'link/x'],
    ['a zero byte in a name', { ...file, name: 'a\0b' }, 'a\\x00b'],
  ];
  it.each(refused)('is refused for %s', async (_, member, entry) => {
    const link = { name: 'link', content: Buffer.from('/etc'), mode: unixMode.symlink | 0o777 };
    expect(await refusal(zipOf([file, link, member]))).toEqual(['archive-refused', entry]);
  });

  it('is damaged if a content differs from what is said of it', async () => {
    for (const lie of [
      { claimedChecksum: 1 },
      { claimedBytes: 0 },
      { claimedBytes: 2 },
      { claimedBytes: 2 ** 31 },
    ])
      expect(await refusal(zipOf([{ ...file, ...lie }]))).toEqual(['archive-damaged', 'file']);
  });

  it('is damaged without its directory, with less of it, or with something after it', async () => {
    const zip = zipOf([file, { ...file, name: 'other', content: testBytes('other', 1000) }]);
    for (let at = 5; at < zip.length; at += 9)
      expect(await refusal(zip.subarray(0, at)), `${at}`).toMatchObject({
        0: expect.stringMatching(/^archive-/),
      });
    expect(await refusal(Buffer.concat([zip, Buffer.from('more')]))).toMatchObject({ 0: 'archive-damaged' });
    expect(await refusal(zipOf([file, { ...file, name: 'b' }], { claimedEntries: 1 }))).toMatchObject({
      0: 'archive-damaged',
    });
  });

  it('of several disks is not read', async () => {
    const zip = zipOf([file]);
    zip.writeUInt16LE(1, zip.length - 18);
    expect(await refusal(zip)).toMatchObject({ 0: 'archive-damaged' });
  });

  it('is stopped at the limits, by what it really holds', async () => {
    const zeros = Buffer.alloc(60 * 1024 * 1024);
    const bomb = zipOf([
      { name: 'a', content: zeros },
      { name: 'b', content: zeros },
    ]);
    expect(await refusal(bomb, { ratio: 500 })).toEqual(['archive-limit-reached', 'ratio']);
    expect(await refusal(bomb, { unpackedBytes: 1_000_000 })).toEqual([
      'archive-limit-reached',
      'unpackedBytes',
    ]);
    expect(await refusal(zipOf([file, { ...file, name: 'b' }]), { entries: 1 })).toEqual([
      ...['archive-limit-reached', 'entries'],
    ]);
  });
});
