import {
  appendFileSync,
  closeSync,
  copyFileSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomPolynomial } from '../chunker/polynomial.ts';
import { BlockPrinter, blockBytes, printBytes } from '../crypto/block-printer.ts';
import { randomMasterKey } from '../crypto/master-key.ts';
import { openFileAt, openTrustedDirectory } from '../filesystem/open.ts';
import { toByteString } from '../format/byte-string.ts';
import type { BlobId, TreeId } from '../format/ids.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { backupSources } from './backup.ts';
import type { BackupResult, ParentBackup } from './backup-request.ts';
import { KnownFiles } from './known-files.ts';
import { PatchedFile } from './patched-file.ts';
import type { CopiedAside } from './standstill.ts';
import { TreeSpool } from './tree-spool.ts';
import { walkTree } from './walk.ts';

const mebibyte = 1024 * 1024;
/** Not a whole number of blocks. */
const sizeBytes = 20 * mebibyte + 12_345;
const polynomial = randomPolynomial();

let place: TemporaryDirectory;
let path: string;
let aside: string;
let blobs: MemoryBlobs;
let trees: TreeSpool;
let knownFiles: KnownFiles;

beforeEach(async () => {
  place = await temporaryDirectory();
  mkdirSync(join(place.path, 'source'));
  path = join(place.path, 'source', 'file');
  aside = join(place.path, 'aside');
  mkdirSync(aside);
  writeFileSync(path, testBytes('known', sizeBytes));
  blobs = new MemoryBlobs();
  trees = new TreeSpool(aside);
  knownFiles = new KnownFiles(aside);
});

afterEach(async () => {
  trees[Symbol.dispose]();
  await knownFiles[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

const sources = () => [{ path: join(place.path, 'source'), treePath: ['data'] as const }];

async function precopy(): Promise<ParentBackup> {
  const startedAtMs = Date.now();
  const { treeId } = await backupSources({ writer: blobs, blobs, polynomial, sources: sources(), trees });
  return { treeId, startedAtMs };
}

interface Pass {
  readonly parent: ParentBackup;
  readonly copied: CopiedAside;
  readonly warnings: number;
}

function backUp(
  parent: ParentBackup,
  purpose: 'rehearsal' | 'look',
  setAside: (copied: CopiedAside) => Promise<void>,
): Promise<BackupResult> {
  return backupSources({
    ...{ writer: blobs, blobs, polynomial, sources: sources(), trees, parent },
    options: { mappedWrites: { sync: false, inodes: new Set() } },
    standstill: { directory: aside, knownFiles, purpose, setAside },
  });
}

/** `afterwards`: when the sources go on, before anything is saved. */
const looked = new Error('All was looked at.');

async function lookAhead(parent: ParentBackup): Promise<void> {
  const looking = backUp(parent, 'look', () => Promise.reject(looked));
  await expect(looking).rejects.toBe(looked);
}

async function pass(parent: ParentBackup, afterwards: () => void = () => {}): Promise<Pass> {
  const startedAtMs = Date.now();
  const copied: CopiedAside[] = [];
  const { treeId, warningCount } = await backUp(parent, 'rehearsal', async (told) => {
    copied.push(told);
    afterwards();
  });
  const [told] = copied;
  if (told === undefined) throw new Error('Nothing was set aside.');
  return { parent: { treeId, startedAtMs }, copied: told, warnings: warningCount };
}

/** A pass that knew nothing copied the file whole: the next one knows it. */
async function knownFile(): Promise<ParentBackup> {
  const parent = await precopy();
  patch(5, 'first');
  const { parent: known, copied } = await pass(parent);
  expect(copied.bytes).toBe(copied.files * statSync(path).size);
  return known;
}

function patch(position: number, bytes: string | Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from(bytes), 0, bytes.length, position);
  closeSync(file);
}

async function chunksIn(treeId: TreeId, name = 'file'): Promise<readonly BlobId[]> {
  for await (const { node } of walkTree({ blobs, treeId })) {
    if (node.type === 'file' && node.name === name) return node.content ?? [];
  }
  throw new Error('The file is not in the backup.');
}

async function bytesOf(chunks: readonly BlobId[]): Promise<Buffer> {
  return Buffer.concat(await Promise.all(chunks.map((id) => blobs.readBlob('data', id))));
}

/** As a backup that knows nothing cuts it. */
async function freshChunks(bytes: Buffer): Promise<readonly BlobId[]> {
  const folder = join(place.path, 'fresh');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'file'), bytes);
  const { treeId } = await backupSources({
    writer: blobs,
    blobs,
    polynomial,
    sources: [{ path: folder, treePath: ['data'] }],
  });
  return await chunksIn(treeId);
}

/** What happens to the file between two passes, and how many blocks may be copied for it. */
const changes: Record<string, { readonly change: () => void; readonly blocks: number }> = {
  'a byte in its middle': { change: () => patch(9 * mebibyte, 'x'), blocks: 1 },
  'its first and its last byte': {
    change: () => {
      patch(0, 'x');
      patch(sizeBytes - 1, 'x');
    },
    blocks: 2,
  },
  'bytes on both sides of a block’s end': { change: () => patch(blockBytes * 7 - 2, 'xxxx'), blocks: 2 },
  'many places': {
    change: () => {
      for (let at = 100; at < sizeBytes; at += 3 * mebibyte) patch(at, `at ${at}`);
    },
    blocks: 7,
  },
  'its end, which is longer': { change: () => appendFileSync(path, testBytes('more', mebibyte)), blocks: 66 },
  'its end, which is shorter': { change: () => truncateSync(path, 7 * mebibyte + 1), blocks: 1 },
  'its end, which is a block’s end now': { change: () => truncateSync(path, 3 * mebibyte), blocks: 0 },
  'all of it, moved by a byte': {
    change: () => writeFileSync(path, Buffer.concat([Buffer.from('x'), readFileSync(path)])),
    blocks: 1282,
  },
  'nothing but its time': { change: () => patch(5, 'first'), blocks: 0 },
  'a hole in its middle': {
    change: () => {
      const bytes = readFileSync(path);
      const file = openSync(path, 'r+');
      ftruncateSync(file, 5 * mebibyte);
      ftruncateSync(file, sizeBytes);
      writeSync(file, bytes, 9 * mebibyte, sizeBytes - 9 * mebibyte, 9 * mebibyte);
      closeSync(file);
    },
    blocks: 257,
  },
};

describe('of a large file that the pass before copied whole', () => {
  it.each(Object.entries(changes))('copies what changed: %s', async (_what, { change, blocks }) => {
    const parent = await knownFile();
    change();
    const then = readFileSync(path);
    const { parent: next, copied, warnings } = await pass(parent);
    expect(warnings).toBe(0);
    expect(copied.files).toBe(1);
    expect(copied.bytes).toBeLessThanOrEqual(blocks * blockBytes);
    const chunks = await chunksIn(next.treeId);
    expect((await bytesOf(chunks)).equals(then)).toBe(true);
    expect(chunks).toEqual(await freshChunks(then));

    patch(mebibyte, 'again');
    const again = readFileSync(path);
    const third = await pass(next);
    expect(third.copied.bytes).toBeLessThanOrEqual(blockBytes);
    const chunksThen = await chunksIn(third.parent.treeId);
    expect((await bytesOf(chunksThen)).equals(again)).toBe(true);
    expect(chunksThen).toEqual(await freshChunks(again));
  });

  it.each(
    Object.entries({
      'written all over': () => writeFileSync(path, testBytes('later', sizeBytes)),
      'cut off': () => truncateSync(path, 100),
      removed: () => rmSync(path),
      replaced: () => {
        writeFileSync(`${path}-other`, testBytes('other', sizeBytes));
        renameSync(`${path}-other`, path);
      },
    }),
  )('has it as it was when it is %s as soon as it may go on', async (_what, goOn) => {
    const parent = await knownFile();
    for (let at = 100; at < sizeBytes; at += mebibyte) patch(at, `at ${at}`);
    const then = readFileSync(path);
    blobs.reads.clear();
    const { parent: next } = await pass(parent, goOn);
    expect((await bytesOf(await chunksIn(next.treeId))).equals(then)).toBe(true);
  });

  it('reads nothing from the repository while the file stays', async () => {
    const parent = await knownFile();
    patch(9 * mebibyte, 'x');
    blobs.reads.clear();
    await pass(parent);
    expect(blobs.reads.size).toBe(0);
  });

  it('fails when the repository cannot give what the file has no more', async () => {
    const parent = await knownFile();
    patch(9 * mebibyte, 'x');
    for (const id of await chunksIn(parent.treeId)) blobs.damage('data', id);
    const failing = pass(parent, () => writeFileSync(path, testBytes('later', sizeBytes)));
    await expect(failing).rejects.toMatchObject({ code: 'blob-damaged' });
    expect(readdirSync(aside).filter((name) => name.startsWith('aside-'))).toEqual([]);
  });

  it.each(Object.entries({ ...changes, nothing: { change: () => {}, blocks: 0 } }))(
    'copies nothing that it looked at before: %s',
    async (_what, { change }) => {
      const parent = await knownFile();
      patch(2 * mebibyte, 'looked at twice');
      await lookAhead(parent);
      change();
      await lookAhead(parent);
      patch(2 * mebibyte, 'since then');
      const then = readFileSync(path);
      const { parent: next, copied } = await pass(parent, () => writeFileSync(path, 'gone'));
      expect(copied.bytes).toBe(blockBytes);
      const chunks = await chunksIn(next.treeId);
      expect((await bytesOf(chunks)).equals(then)).toBe(true);
      expect(chunks).toEqual(await freshChunks(then));
    },
  );

  it('has it under both of its names', async () => {
    linkSync(path, `${path}-linked`);
    const parent = await knownFile();
    patch(9 * mebibyte, 'x');
    const then = readFileSync(path);
    const { parent: next } = await pass(parent);
    for (const name of ['file', 'file-linked']) {
      expect((await bytesOf(await chunksIn(next.treeId, name))).equals(then)).toBe(true);
    }
  });

  it('copies nothing of a new file that it looked at before', async () => {
    const parent = await knownFile();
    const later = `${path}-later`;
    writeFileSync(later, testBytes('later', sizeBytes));
    await lookAhead(parent);
    await lookAhead(parent);
    const file = openSync(later, 'r+');
    writeSync(file, 'since then', 3 * mebibyte);
    closeSync(file);
    const then = readFileSync(later);
    const { parent: next, copied } = await pass(parent, () => rmSync(later));
    expect(copied.bytes).toBe(blockBytes);
    const chunks = await chunksIn(next.treeId, 'file-later');
    expect((await bytesOf(chunks)).equals(then)).toBe(true);
    writeFileSync(later, then);
    const { parent: last } = await pass(next);
    expect((await bytesOf(await chunksIn(last.treeId, 'file-later'))).equals(then)).toBe(true);
  });

  it('goes on where one that it looked at is gone', async () => {
    const parent = await knownFile();
    await lookAhead(parent);
    rmSync(path);
    await lookAhead(parent);
    const { parent: next } = await pass(parent);
    await expect(chunksIn(next.treeId)).rejects.toThrow();
  });

  it('keeps holes unread and whole', async () => {
    truncateSync(path, 80 * mebibyte);
    patch(70 * mebibyte, 'behind the hole');
    const parent = await knownFile();
    patch(45 * mebibyte, 'within the hole');
    const then = readFileSync(path);
    const { parent: next, copied } = await pass(parent);
    expect(copied.bytes).toBe(blockBytes);
    expect((await bytesOf(await chunksIn(next.treeId))).equals(then)).toBe(true);
  });

  it('copies a file whole that is another one under its name', async () => {
    const parent = await knownFile();
    copyFileSync(path, `${path}-other`);
    renameSync(`${path}-other`, path);
    patch(5, 'other');
    const then = readFileSync(path);
    const { parent: next, copied } = await pass(parent);
    expect(copied.bytes).toBe(sizeBytes);
    expect((await bytesOf(await chunksIn(next.treeId))).equals(then)).toBe(true);
  });

  it('comes from the repository where it cannot be read any more', async () => {
    const bytes = testBytes('unreadable', 3 * blockBytes + 5);
    const { id } = blobs.add('data', bytes);
    const printer = new BlockPrinter(randomMasterKey());
    const prints = Buffer.alloc(4 * printBytes);
    for (const at of [0, 1, 2, 3]) {
      printer.print(bytes.subarray(at * blockBytes, (at + 1) * blockBytes), prints.subarray(at * printBytes));
    }
    using source = openTrustedDirectory(toByteString(aside));
    const moment = {
      ...{ source, copy: source, prints, changed: new Set<number>(), copiedBlocks: 0 },
      ...{ content: [id as BlobId], contentBytes: bytes.length, sizeBytes: bytes.length },
    };
    const into = Buffer.alloc(bytes.length);
    expect(await new PatchedFile({ moment, printer, blobs }).from(0, {}).read(into)).toBe(bytes.length);
    expect(into.equals(bytes)).toBe(true);
  });
});

it('holds no more files open than a process may have', () => {
  using directory = openTrustedDirectory(toByteString(join(place.path, 'source')));
  using file = openFileAt(directory.number, toByteString('file'));
  const held = Array.from({ length: 1100 }, () => knownFiles.hold(file, { size: sizeBytes }));
  expect(held.filter((source) => source !== undefined)).toHaveLength(1000);
});
