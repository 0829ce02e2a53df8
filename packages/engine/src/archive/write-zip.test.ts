import { createWriteStream, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { ByteString } from '../format/byte-string.ts';
import type { BlobId, TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { backupSources } from '../snapshot/backup.ts';
import { importBytes, nodesOf, testPolynomial } from '../testing/import-bytes.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { testBytes } from '../testing/test-bytes.ts';
import type { ArchiveMember } from './archive-items.ts';
import { archiveNotes } from './archive-notes.ts';
import { entriesBeneath, writeZip } from './write-archive.ts';

const checksumsFolder = '/checksums' as ByteString;

interface Written {
  readonly zip: Buffer;
  readonly answered: number;
}

async function zipOf(
  path: string,
  blobs: MemoryBlobs,
  members: AsyncIterable<ArchiveMember>,
): Promise<Written> {
  const output = createWriteStream(path);
  const answered = await writeZip({ blobs, members, checksumsFolder, output });
  output.end();
  await finished(output);
  return { zip: await readFile(path), answered };
}

async function* manyFiles(node: Node, count: number): AsyncGenerator<ArchiveMember> {
  for (let number = 0; number < count; number += 1) yield { path: `/f${number}` as ByteString, node };
}

/** What a zip keeps of a node. */
function described({ type, mode, modifiedAt, uid, gid, size, linkTarget, content }: Node): unknown {
  const { seconds } = modifiedAt;
  return { type, mode, seconds, uid, gid, size, linkTarget, content };
}

function makeTree(path: string): void {
  mkdirSync(join(path, 'deep', 'er', 'empty'), { recursive: true, mode: 0o700 });
  const file = (name: string, bytes: string | Buffer, mode = 0o644): void =>
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name, 'latin1')]), bytes, { mode });
  file('random', testBytes('random', 5_000_000));
  file('zeros', Buffer.alloc(3_000_000));
  for (const size of [0, 1, 16 * 1024 - 1, 16 * 1024, 600_000]) file(`of-${size}`, testBytes('of', size));
  file(Buffer.from('größe-名前-🦊').toString('latin1'), 'utf-8');
  file('no text \xff\xfe', 'bytes');
  file('back\\slash and\nline', 'odd');
  file('deep/setuid', '#!/bin/sh\n', 0o4755);
  file('secret', 'x', 0o600);
  file('old', 'x');
  utimesSync(join(path, 'old'), 0, -1_000_000_000);
  utimesSync(join(path, 'deep', 'er', 'empty'), 0, 1_234_567_891);
  symlinkSync('../x', join(path, 'deep', 'link'));
  symlinkSync('/nowhere/at all', join(path, 'absolute'));
  linkSync(join(path, 'of-600000'), join(path, 'deep', 'second'));
}

interface Tree extends AsyncDisposable {
  readonly blobs: MemoryBlobs;
  readonly treeId: TreeId;
  readonly directory: string;
}

async function backedUpTree(): Promise<Tree> {
  const directory = await temporaryDirectory();
  const blobs = new MemoryBlobs();
  const path = join(directory.path, 'tree');
  makeTree(path);
  const sources = [{ path, treePath: ['data'] as const }];
  const { treeId } = await backupSources({ writer: blobs, blobs, polynomial: testPolynomial, sources });
  const dispose = async () => await directory[Symbol.asyncDispose]();
  return { blobs, treeId, directory: directory.path, [Symbol.asyncDispose]: dispose };
}

function entriesOf({ blobs, treeId }: Tree) {
  return entriesBeneath({ blobs, treeId, prefix: '' as ByteString });
}

describe('a zip archive of a backup', () => {
  it('comes back by an import as it was, but for what a zip cannot hold', async () => {
    await using tree = await backedUpTree();
    const { zip, answered } = await zipOf(join(tree.directory, 'zip'), tree.blobs, entriesOf(tree));
    expect(answered).toBe(zip.length);
    expect(zip.length).toBeLessThan(6_500_000);
    await using imported = await importBytes(zip);
    expect(imported.archive.format).toBe('zip');
    const nodes = await imported.nodes();
    const original = await nodesOf(tree.blobs, tree.treeId);
    for (const [path, node] of original) {
      const at = path === '' ? 'data' : `data/${path}`;
      expect(described(nodes.get(at) ?? node), at).toEqual(described(node));
      nodes.delete(at);
    }
    expect([...nodes.keys()]).toEqual(['', 'checksums', 'checksums/0001.sha256']);
    const list = await imported.archive.bytesOf('checksums/0001.sha256');
    await imported.archive.verify(list ?? '', 'data');
  });

  it('notes what does not come back', async () => {
    await using tree = await backedUpTree();
    const socket = { ...[...(await nodesOf(tree.blobs, tree.treeId)).values()][1], type: 'socket' } as Node;
    const odd = async function* () {
      yield* entriesOf(tree);
      yield { path: '/data/run.sock' as ByteString, node: socket };
      yield { path: '/data/disk' as ByteString, node: { ...socket, type: 'dev' as const } };
    };
    expect(await archiveNotes(odd(), { container: 'tar' })).toEqual([
      { kind: 'left-out', count: 1, paths: ['data/run.sock'] },
      { kind: 'not-importable', count: 1, paths: ['data/disk'] },
    ]);
    expect(await archiveNotes(odd(), { container: 'zip' })).toEqual([
      { kind: 'several-names', count: 2, paths: ['data/deep/second', 'data/of-600000'] },
      { kind: 'left-out', count: 2, paths: ['data/run.sock', 'data/disk'] },
    ]);
    const { zip } = await zipOf(join(tree.directory, 'zip'), tree.blobs, odd());
    await using imported = await importBytes(zip);
    expect(imported.archive.namesIn('data')).not.toContain('disk');
  });

  it('may have more entries than two bytes count', async () => {
    await using tree = await backedUpTree();
    const node = (await nodesOf(tree.blobs, tree.treeId)).get('of-0');
    if (node === undefined) throw new Error('The file is not there.');
    const count = 70_000;
    const { zip } = await zipOf(join(tree.directory, 'zip'), tree.blobs, manyFiles(node, count));
    await using imported = await importBytes(zip);
    expect(imported.archive.namesIn('')).toHaveLength(count + 1);
  });

  it('ends with the error of a blob that is not there, or of an output that breaks', async () => {
    await using tree = await backedUpTree();
    const node = (await nodesOf(tree.blobs, tree.treeId)).get('secret');
    if (node === undefined) throw new Error('The file is not there.');
    const missing = { ...node, content: ['f'.repeat(64) as BlobId] };
    const path = join(tree.directory, 'zip');
    await expect(zipOf(path, tree.blobs, manyFiles(missing, 1))).rejects.toMatchObject({
      code: 'blob-missing',
    });
    const output = new PassThrough();
    output.on('error', () => {});
    const writing = writeZip({ blobs: tree.blobs, members: entriesOf(tree), output });
    output.once('data', () => output.destroy(new Error('The other end is gone.')));
    await expect(writing).rejects.toThrow();
  });
});
