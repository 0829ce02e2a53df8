import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  createWriteStream,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../crypto/hash.ts';
import { type ByteString, toByteString } from '../format/byte-string.ts';
import type { Node } from '../format/node.ts';
import { backupSources } from '../snapshot/backup.ts';
import { restoreNode } from '../snapshot/restore.ts';
import { compareTrees } from '../testing/compare-trees.ts';
import { importBytes, nodesOf, testPolynomial } from '../testing/import-bytes.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { tarEndBytes, tarMember, tarOf } from '../testing/tar-bytes.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { entriesBeneath, writeTar } from './write-archive.ts';

const names = [
  'a',
  'b b',
  'größe',
  'x\ny',
  'back\\slash',
  'n'.repeat(200),
  '-rf',
  '.hidden',
  Buffer.from([0xff, 0x41]),
];

/** Files of all sizes, links of both kinds, odd names, times with fractions and before 1970, empty directories. */
function makeRandomTree(path: string, random: SeededRandom): void {
  const directories: Buffer[] = [Buffer.from(path)];
  const files: Buffer[] = [];
  mkdirSync(path);
  for (let count = 0; count < 60; count += 1) {
    const name = Buffer.concat([Buffer.from(random.pick(names)), Buffer.from(String(count))]);
    const place = Buffer.concat([random.pick(directories), Buffer.from('/'), name]);
    const kind = random.integer(10);
    if (kind < 3) {
      mkdirSync(place, { mode: random.pick([0o755, 0o700, 0o1777]) });
      directories.push(place);
    } else if (kind === 3) {
      symlinkSync(random.pick(['../x', '/etc/ssl/certs', 'y'.repeat(150)]), place);
      files.push(place);
    } else if (kind === 4 && files.length > 0) linkSync(random.pick(files), place);
    else {
      const size = random.pick([0, 1, 511, 512, 513, 70_000, 512 * 1024, 512 * 1024 + 1, 3_000_000]);
      writeFileSync(place, testBytes(String(count), size), { mode: random.pick([0o644, 0o4755, 0o600]) });
      utimesSync(place, 0, random.pick([-1.5, 0, 1e9, 1_234_567_890.123_456]));
      files.push(place);
    }
  }
}

/** All of a node that an archive keeps, with the first name of its inode in place of its number. */
function described(nodes: ReadonlyMap<string, Node>): unknown {
  const firsts = new Map<string, string>();
  return [...nodes].map(([path, node]) => {
    const key = `${node.deviceId}:${node.inode}`;
    const isLinked = node.type !== 'dir' && node.links > 1;
    const first = isLinked ? (firsts.get(key) ?? path) : undefined;
    firsts.set(key, first ?? path);
    const { type, mode, modifiedAt, uid, gid, size, linkTarget, content, extendedAttributes } = node;
    const links = type === 'dir' ? 0 : node.links;
    return {
      ...{ path, first, type, mode, modifiedAt, uid, gid, size, linkTarget, content },
      links,
      extendedAttributes,
    };
  });
}

interface Backup {
  readonly blobs: MemoryBlobs;
  readonly nodes: Map<string, Node>;
  readonly tar: Buffer;
}

async function backupOf(path: string): Promise<Backup> {
  const blobs = new MemoryBlobs();
  const sources = [{ path, treePath: ['data'] as const }];
  const { treeId } = await backupSources({ writer: blobs, blobs, polynomial: testPolynomial, sources });
  const archive = `${path}.tar`;
  const output = createWriteStream(archive);
  const members = entriesBeneath({ blobs, treeId, prefix: '' as ByteString });
  await writeTar({ blobs, members, output });
  output.end();
  await finished(output);
  return { blobs, nodes: await nodesOf(blobs, treeId), tar: readFileSync(archive) };
}

describe('an archive that Holdfast made', () => {
  it.each([1, 2, 3])('is imported as the tree that it was made of (%i)', async (seed) => {
    await using work = await temporaryDirectory();
    makeRandomTree(join(work.path, 'source'), new SeededRandom(seed));
    const { nodes, tar } = await backupOf(join(work.path, 'source'));
    for (const [bytes, format] of [
      [tar, 'tar'],
      [gzipSync(tar), 'tar.gz'],
      [zstdCompressSync(tar), 'tar.zst'],
    ] as const) {
      await using imported = await importBytes(bytes);
      expect(imported.archive.format).toBe(format);
      const { treeId, files, bytes: total } = await imported.archive.saveTree('data');
      const found = await nodesOf(imported.blobs, treeId);
      expect(described(found)).toEqual(described(nodes));
      const regular = [...nodes.values()].filter(({ type }) => type === 'file');
      expect(files).toBe(regular.length);
      expect(total).toBe(regular.reduce((sum, { size }) => sum + size, 0));
      if (format !== 'tar') continue;
      const targetPath = join(work.path, 'target');
      await restoreNode({ blobs: imported.blobs, treeId, nodePath: ['data'], targetPath });
      expect(compareTrees(join(work.path, 'source'), targetPath)).toEqual([]);
    }
  });

  it('saves no content anew that a backup of the same files saved', async () => {
    await using work = await temporaryDirectory();
    makeRandomTree(join(work.path, 'source'), new SeededRandom(4));
    const { blobs, nodes, tar } = await backupOf(join(work.path, 'source'));
    await using imported = await importBytes(tar);
    const contents = [...(await imported.nodes()).values()].flatMap(({ content }) => content ?? []);
    expect(contents.length).toBeGreaterThan(20);
    expect(contents.filter((id) => !blobs.hasBlob('data', id))).toEqual([]);
    expect(nodes.size).toBeGreaterThan(20);
  });
});

describe('an archive that GNU tar made', () => {
  it.each(['pax', 'gnu', 'ustar', 'oldgnu', 'v7'])('is imported from its format %s', async (format) => {
    await using work = await temporaryDirectory();
    const source = join(work.path, 'source');
    mkdirSync(join(source, 'below', 'deep'.repeat(10)), { recursive: true });
    writeFileSync(join(source, 'below', 'deep'.repeat(10), 'file'), testBytes('deep', 100_000), {
      mode: 0o640,
    });
    const isShort = format === 'v7' || format === 'ustar';
    const long = join(source, 'below', `${'l'.repeat(isShort ? 60 : 180)}`);
    writeFileSync(long, 'long');
    linkSync(long, join(source, 'link'));
    symlinkSync(isShort ? 'target' : 't'.repeat(150), join(source, 'symbolic'));
    utimesSync(long, 0, 1_234_567_890);
    const archive = join(work.path, 'archive.tar');
    execFileSync('tar', ['-C', source, `--format=${format}`, '--numeric-owner', '-cf', archive, '.']);
    const { nodes } = await backupOf(source);
    await using imported = await importBytes(readFileSync(archive));
    const whole = (map: ReadonlyMap<string, Node>): unknown =>
      [...map].map(
        ([
          path,
          {
            type,
            mode,
            uid,
            gid,
            size,
            linkTarget,
            content,
            modifiedAt: { seconds },
          },
        ]) => ({
          ...{ path, type, mode, uid, gid, size, linkTarget, content, seconds },
        }),
      );
    const found = await imported.nodes();
    expect(whole(found)).toEqual(whole(nodes));
    expect(found.get('link')?.links).toBe(2);
    expect(found.get('link')?.inode).toBe(found.get(long.slice(source.length + 1))?.inode);
  });

  it.each(['pax', 'gnu'])('is refused by the name of a sparse file in its format %s', async (format) => {
    await using work = await temporaryDirectory();
    const archive = join(work.path, 'archive.tar');
    execFileSync('truncate', ['-s', '10M', join(work.path, 'holes')]);
    appendFileSync(join(work.path, 'holes'), 'end');
    execFileSync('tar', ['-C', work.path, `--format=${format}`, '--sparse', '-cf', archive, 'holes']);
    await expect(importBytes(readFileSync(archive))).rejects.toMatchObject({
      code: 'archive-refused',
      context: { entry: 'holes' },
    });
  });
});

describe('an entry', () => {
  it('has the numbers, names, times and attributes that its extended header gives it', async () => {
    await using imported = await importBytes(
      tarOf({
        path: 'short',
        content: 'x',
        mode: 0o6755,
        pax: {
          path: 'dir/é',
          mtime: '-1.25',
          uid: '4000000000',
          gid: '7',
          uname: 'smith',
          gname: 'smiths',
          'SCHILY.xattr.user.bytes': Buffer.from([0, 255, 10, 61]),
          'SCHILY.xattr.security.capability': 'dropped',
          comment: 'ignored',
        },
      }),
    );
    const node = (await imported.nodes()).get('dir/é');
    expect(node).toMatchObject({
      mode: 0o755 + 2 ** 23 + 2 ** 22,
      modifiedAt: { seconds: -2, nanoseconds: 750_000_000 },
      uid: 4_000_000_000,
      gid: 7,
      user: 'smith',
      group: 'smiths',
      extendedAttributes: [{ name: 'user.bytes', value: Buffer.from([0, 255, 10, 61]) }],
    });
  });

  it('gets the directories above it made, as root has them', async () => {
    await using imported = await importBytes(tarOf({ path: 'a/b/c', content: 'x' }));
    const nodes = await imported.nodes();
    expect([...nodes.keys()]).toEqual(['', 'a', 'a/b', 'a/b/c']);
    for (const path of ['', 'a', 'a/b']) {
      expect(nodes.get(path)).toMatchObject({
        ...{ type: 'dir', mode: 2 ** 31 + 0o755, uid: 0, gid: 0 },
        modifiedAt: { seconds: 1_000_000_000, nanoseconds: 0 },
      });
    }
  });

  it('of the top itself describes the top', async () => {
    await using imported = await importBytes(
      tarOf({ path: './', type: '5', mode: 0o700 }, { path: './a', content: 'x' }),
    );
    const nodes = await imported.nodes();
    expect(nodes.get('')?.mode).toBe(2 ** 31 + 0o700);
    expect([...nodes.keys()]).toEqual(['', 'a']);
  });

  it('replaces an earlier file of its path, of which other names stay what they were', async () => {
    await using imported = await importBytes(
      tarOf(
        { path: 'a', content: 'first' },
        { path: 'b', type: '1', linkPath: './a' },
        { path: 'a', content: 'second' },
        { path: 'c', type: '1', linkPath: 'a' },
      ),
    );
    const { archive } = imported;
    expect(await Promise.all(['a', 'b', 'c'].map((path) => archive.textOf(path)))).toEqual([
      ...['second', 'first', 'second'],
    ]);
    const nodes = await imported.nodes();
    expect(nodes.get('b')).toMatchObject({ links: 1, inode: 0n });
    expect(nodes.get('a')).toMatchObject({ links: 2 });
    expect(nodes.get('a')?.inode).toBe(nodes.get('c')?.inode);
  });

  it('may name a symbolic link twice, which is one inode then and is not followed', async () => {
    await using imported = await importBytes(
      tarOf(
        { path: 'l', type: '2', linkPath: '/etc/passwd' },
        { path: 'deep/second', type: '1', linkPath: 'l' },
        { path: 'alone', type: '2', linkPath: '/etc/passwd' },
      ),
    );
    const nodes = await imported.nodes();
    const linked = { type: 'symlink', linkTarget: '/etc/passwd', links: 2, content: null };
    expect(nodes.get('l')).toMatchObject(linked);
    expect(nodes.get('deep/second')).toMatchObject({ ...linked, inode: nodes.get('l')?.inode });
    expect(nodes.get('alone')).toMatchObject({ links: 1, inode: 0n });
    expect((await imported.archive.saveTree('')).files).toBe(0);
  });

  it('describes again a directory that was there', async () => {
    await using imported = await importBytes(
      tarOf({ path: 'a/b', content: 'x' }, { path: 'a/', type: '5', mode: 0o711 }),
    );
    expect((await imported.nodes()).get('a')?.mode).toBe(2 ** 31 + 0o711);
  });

  it('that is a symbolic link is stored as it is, wherever it points', async () => {
    const links = ['/etc/ssl', '../../..', 'x'];
    await using imported = await importBytes(
      tarOf(...links.map((linkPath, at) => ({ path: `l${at}`, type: '2', linkPath }))),
    );
    const nodes = await imported.nodes();
    expect(links.map((_, at) => nodes.get(`l${at}`)?.linkTarget)).toEqual(links);
  });
});

describe('an imported archive', () => {
  const members = [
    { path: 'holdfast-backup.json', content: '{"version":1}' },
    { path: 'parts/data/a', content: 'a' },
    { path: 'parts/data/deep/er/file', content: testBytes('large', 2_000_000) },
    { path: 'parts/data/b', type: '1', linkPath: 'parts/data/a' },
    { path: 'parts/data/l', type: '2', linkPath: 'a' },
  ];

  it('gives the texts and names that are in it', async () => {
    await using imported = await importBytes(gzipSync(tarOf(...members)));
    const { archive } = imported;
    expect(await archive.textOf('holdfast-backup.json')).toBe('{"version":1}');
    expect(await archive.textOf('parts/data/b')).toBe('a');
    expect(await archive.bytesOf('parts/data/deep/er/file')).toEqual(testBytes('large', 2_000_000));
    expect(archive.digestOf('parts/data/deep/er/file')).toBe(sha256(testBytes('large', 2_000_000)));
    expect(archive.namesIn('')).toEqual(['holdfast-backup.json', 'parts']);
    expect(archive.namesIn('parts/data')).toEqual(['a', 'b', 'deep', 'l']);
    for (const path of ['nothing', 'parts', 'parts/data/l', 'parts/data/l/a'])
      expect(await archive.textOf(path)).toBeUndefined();
    for (const path of ['nothing', 'parts/data/a', 'parts/data/l'])
      expect(archive.namesIn(path)).toBeUndefined();
  });

  it('gives a text that lies deep in it by reading it again, and none that is too long', async () => {
    const long = Buffer.alloc(16 * 1024 * 1024 + 1, 'a');
    const deep = { path: 'a/b/c/d/text', content: long.subarray(1) };
    const bytes = zstdCompressSync(tarOf(...members, deep, { path: 'too-long', content: long }));
    await using imported = await importBytes(bytes);
    expect((await imported.archive.bytesOf('a/b/c/d/text'))?.equals(long.subarray(1))).toBe(true);
    await expect(imported.archive.textOf('too-long')).rejects.toMatchObject({ code: 'archive-refused' });
  });

  it('saves a part of it, a file as well as a directory, and no link', async () => {
    await using imported = await importBytes(tarOf(...members));
    const { archive, blobs } = imported;
    const part = await archive.saveTree('parts/data');
    expect(part).toMatchObject({ files: 3, bytes: 2_000_002 });
    expect([...(await nodesOf(blobs, part.treeId)).keys()]).toEqual([
      ...['', 'a', 'b', 'deep', 'deep/er', 'deep/er/file', 'l'],
    ]);
    const file = await archive.saveTree('parts/data/a');
    expect([...(await nodesOf(blobs, file.treeId)).values()]).toMatchObject([
      { name: 'data', type: 'file', size: 1 },
    ]);
    await expect(archive.saveTree('parts/none')).rejects.toMatchObject({ code: 'path-unknown' });
    await expect(archive.saveTree('parts/data/l')).rejects.toMatchObject({ code: 'archive-refused' });
  });

  it('is proven by the checksums that it has with it', async () => {
    await using imported = await importBytes(tarOf(...members, { path: 'parts/x\\\n', content: 'odd' }));
    const { archive } = imported;
    const line = (path: string, content: string | Buffer): string =>
      `${sha256(Buffer.from(content))}  ${path}\n`;
    const good = [
      line('parts/data/a', 'a'),
      line('parts/data/deep/er/file', testBytes('large', 2_000_000)),
      `\\${line('parts/x\\\\\\n', 'odd')}`,
    ];
    await archive.verify(good.join(''), 'parts');
    const lists = async function* (): AsyncGenerator<Uint8Array> {
      for (const each of good) yield Buffer.from(each);
    };
    await archive.verify(lists(), 'parts');
    const entryOf = async (checksums: string): Promise<unknown> =>
      await archive.verify(checksums, 'parts').then(
        () => undefined,
        ({ code, context }) => [code, context.entry],
      );
    expect(await entryOf(good.join('').replace('a', 'b'))).toEqual(['archive-damaged', expect.any(String)]);
    expect(await entryOf(good.slice(1).join(''))).toEqual(['archive-damaged', 'parts/data/a']);
    expect(await entryOf(good.slice(0, 2).join(''))).toEqual(['archive-damaged', 'parts/x\\\\\\n']);
    expect(await entryOf(`${good.join('')}${line('parts/lost', '')}`)).toEqual([
      'archive-damaged',
      'parts/lost',
    ]);
    expect(await entryOf('no line')).toEqual(['archive-damaged', undefined]);
  });

  it('is read from several members or frames in a row, and with zeros after them', async () => {
    const tar = tarOf(...members);
    const halves = [tar.subarray(0, 700), tar.subarray(700)];
    for (const pack of [gzipSync, zstdCompressSync]) {
      const bytes = Buffer.concat([...halves.map((half) => pack(half)), Buffer.alloc(1000)]);
      await using imported = await importBytes(bytes);
      expect((await imported.archive.saveTree('')).files).toBe(4);
    }
  });

  it('takes a global header, and names that are no text', async () => {
    const raw = Buffer.from([0x66, 0xff]);
    const global = tarMember({ path: 'g', type: 'g', content: '19 comment=ignored\n'.padEnd(19) });
    const member = tarMember({ path: 'x', content: 'odd', pax: { path: raw } });
    await using imported = await importBytes(Buffer.concat([global, member, tarEndBytes]));
    expect((await imported.archive.bytesOf(raw))?.toString()).toBe('odd');
    expect(toByteString(raw)).toBe('f\xff');
  });
});
