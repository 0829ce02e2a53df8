import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { minChunkBytes } from '../chunker/chunk-window.ts';
import { randomPolynomial } from '../chunker/polynomial.ts';
import { inodesMappedForWriting } from '../filesystem/mapped-files.ts';
import { byteStringToText } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { SavedBlob } from '../repository/blob-store.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { SharedMapping } from '../testing/shared-mapping.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { backupSources } from './backup.ts';
import type { BackupRequest, BackupResult, ParentBackup } from './backup-request.ts';
import type { CopiedAside } from './standstill.ts';
import { TreeSpool } from './tree-spool.ts';
import { walkTree } from './walk.ts';

const polynomial = randomPolynomial();
const mappedWrites = { sync: true, inodes: new Set<bigint>() };

/** Knows whether anything was written while nothing should be. */
class WatchedBlobs extends MemoryBlobs {
  isClosed = false;
  override saveBlob(...saved: Parameters<MemoryBlobs['saveBlob']>): Promise<SavedBlob> {
    if (this.isClosed) throw new Error('A blob was saved while the sources stood still.');
    return super.saveBlob(...saved);
  }
  override readBlob(...read: Parameters<MemoryBlobs['readBlob']>): ReturnType<MemoryBlobs['readBlob']> {
    if (this.isClosed) throw new Error('A blob was read while the sources stood still.');
    return super.readBlob(...read);
  }
}

let place: TemporaryDirectory;
let source: string;
let aside: string;
let blobs: WatchedBlobs;
let trees: TreeSpool;

beforeEach(async () => {
  place = await temporaryDirectory();
  source = join(place.path, 'source');
  aside = join(place.path, 'aside');
  mkdirSync(source);
  mkdirSync(aside);
  blobs = new WatchedBlobs();
  trees = new TreeSpool(aside);
});

afterEach(async () => {
  trees[Symbol.dispose]();
  await place[Symbol.asyncDispose]();
});

async function backUp(request: Partial<BackupRequest> = {}): Promise<BackupResult> {
  const sources = [{ path: source, treePath: ['data'] as const }];
  return await backupSources({ writer: blobs, blobs, polynomial, sources, trees, ...request });
}

/** What is there now, to compare the next backup with. */
async function precopy(): Promise<ParentBackup> {
  const startedAtMs = Date.now();
  const { treeId } = await backUp({ options: { mappedWrites } });
  return { treeId, startedAtMs };
}

/** The final pass; `afterwards` runs when the sources may change again, before anything that was copied is saved. */
async function finalPass(
  parent: ParentBackup,
  afterwards: (copied: CopiedAside) => void | Promise<void> = () => {},
): Promise<BackupResult> {
  blobs.isClosed = true;
  return await backUp({
    parent,
    options: { mappedWrites: { ...mappedWrites, sync: false } },
    standstill: {
      directory: aside,
      setAside: async (copied) => {
        await afterwards(copied);
        blobs.isClosed = false;
      },
    },
  });
}

/** Path and content of each file. */
async function contents(treeId: TreeId): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { path, node } of walkTree({ blobs, treeId })) {
    if (node.type === 'dir') continue;
    const chunks = await Promise.all((node.content ?? []).map((id) => blobs.readBlob('data', id)));
    found.set(byteStringToText(path), Buffer.concat(chunks).toString('latin1'));
  }
  return found;
}

/** Long enough ago for its time to be trusted. */
async function settle(): Promise<void> {
  await delay(2100);
}

describe('a backup of sources that stand still', () => {
  it('has them as they were then, whatever they become afterwards, and saves nothing before', async () => {
    const large = testBytes('large', 6 * minChunkBytes);
    mkdirSync(join(source, 'folder'));
    mkdirSync(join(source, 'gone'));
    writeFileSync(join(source, 'folder', 'same'), 'same');
    writeFileSync(join(source, 'gone', 'a'), 'a');
    writeFileSync(join(source, 'large'), large);
    writeFileSync(join(source, 'small'), 'before');
    const parent = await precopy();
    writeFileSync(join(source, 'small'), 'then');
    writeFileSync(join(source, 'large'), 'PATCH', { flag: 'r+' });
    writeFileSync(join(source, 'folder', 'new'), 'new');
    rmSync(join(source, 'gone'), { recursive: true });
    writeFileSync(join(source, 'sparse'), 'x');
    truncateSync(join(source, 'sparse'), 4 * minChunkBytes);
    symlinkSync('small', join(source, 'link'));
    const { treeId, warnings, summary } = await finalPass(parent, () => {
      for (const name of ['small', 'large', 'sparse']) appendFileSync(join(source, name), 'later');
      renameSync(join(source, 'folder'), join(source, 'moved'));
      writeFileSync(join(source, 'latest'), 'latest');
    });
    const patched = Buffer.concat([Buffer.from('PATCH'), large.subarray(5)]).toString('latin1');
    expect(await contents(treeId)).toEqual(
      new Map([
        ['/data/folder/new', 'new'],
        ['/data/folder/same', 'same'],
        ['/data/large', patched],
        ['/data/link', ''],
        ['/data/small', 'then'],
        ['/data/sparse', `x${'\0'.repeat(4 * minChunkBytes - 1)}`],
      ]),
    );
    expect(warnings).toEqual([]);
    expect(summary.files).toBe(5);
    expect(readdirSync(aside)).toEqual([]);
  });

  it('copies only what changed since the pass before', async () => {
    for (let number = 0; number < 50; number += 1) writeFileSync(join(source, `${number}`), 'before');
    await settle();
    const parent = await precopy();
    await settle();
    writeFileSync(join(source, '7'), 'then');
    let copied: CopiedAside | undefined;
    const { treeId, summary } = await finalPass(parent, (told) => {
      copied = told;
    });
    expect(copied).toMatchObject({ files: 1, bytes: 4 });
    expect(summary.fileCounts).toEqual({ new: 0, changed: 1, unmodified: 49 });
    expect((await contents(treeId)).get('/data/7')).toBe('then');
  });

  it('takes more changed directories than trees are usually open', async () => {
    for (let number = 0; number < 150; number += 1) mkdirSync(join(source, `${number}`));
    const parent = await precopy();
    for (let number = 0; number < 150; number += 1) writeFileSync(join(source, `${number}`, 'a'), 'a');
    const { treeId } = await finalPass(parent);
    expect((await contents(treeId)).size).toBe(150);
  });

  it('ends, and leaves no copies, when what it waits for fails', async () => {
    const parent = await precopy();
    writeFileSync(join(source, 'a'), 'a');
    const failure = new Error('The containers could not be thawed.');
    await expect(finalPass(parent, () => Promise.reject(failure))).rejects.toThrow(failure.message);
    expect(readdirSync(aside)).toEqual([]);
  });

  it('tells of what changes although it should not', async () => {
    const path = join(source, 'large');
    const parent = await precopy();
    writeFileSync(path, testBytes('large', 300 * minChunkBytes));
    const meddling = setInterval(() => utimesSync(path, new Date(), new Date()), 1);
    const { warnings, summary } = await finalPass(parent);
    clearInterval(meddling);
    expect(warnings).toEqual([{ path, message: expect.stringContaining('changed while it was read') }]);
    expect(summary.unsteadyFiles).toBe(1);
  });
});

describe('a store through a shared mapping', () => {
  it('on storage is seen, for the pass before wrote its page to storage', async () => {
    const path = join(source, 'mapped');
    writeFileSync(path, Buffer.alloc(4096, 'a'));
    using mapping = new SharedMapping(path);
    mapping.bytes.fill(0x62);
    await settle();
    const parent = await precopy();
    await settle();
    mapping.bytes.fill(0x64);
    const { treeId } = await finalPass(parent);
    expect((await contents(treeId)).get('/data/mapped')?.slice(0, 9)).toBe('ddddddddd');
  });

  it('in memory is seen although it changes no time at all', async () => {
    if (statfsSync('/dev/shm').type !== 0x01_02_19_94) throw new Error('/dev/shm is no tmpfs here.');
    const path = join('/dev/shm', `holdfast-test-${process.pid}`);
    writeFileSync(path, Buffer.alloc(4096, 'a'));
    try {
      using mapping = new SharedMapping(path);
      mapping.bytes.fill(0x61);
      await settle();
      const sources = [{ path, treePath: ['data'] as const }];
      const startedAtMs = Date.now();
      const first = await backUp({ sources, options: { mappedWrites } });
      mapping.bytes.fill(0x62);
      expect(readFileSync(path, 'latin1').startsWith('bb')).toBe(true);
      const parent = { treeId: first.treeId, startedAtMs };
      const trusting = await backUp({ sources, parent });
      expect((await contents(trusting.treeId)).get('/data')?.slice(0, 9)).toBe('aaaaaaaaa');
      const second = await backUp({ sources, parent, options: { mappedWrites } });
      expect((await contents(second.treeId)).get('/data')?.slice(0, 9)).toBe('bbbbbbbbb');
    } finally {
      rmSync(path);
    }
  });

  it('is expected of every file that a process maps shared and writable', async () => {
    const path = join(source, 'mapped');
    writeFileSync(path, Buffer.alloc(4096, 'a'));
    const { ino } = statSync(path, { bigint: true });
    expect(inodesMappedForWriting().has(ino)).toBe(false);
    using _ = new SharedMapping(path);
    expect(inodesMappedForWriting().has(ino)).toBe(true);
    await settle();
    const parent = await precopy();
    await settle();
    let copied: CopiedAside | undefined;
    blobs.isClosed = true;
    await backUp({
      parent,
      options: { mappedWrites: { sync: false, inodes: new Set([ino]) } },
      standstill: {
        directory: aside,
        setAside: async (told) => {
          copied = told;
          blobs.isClosed = false;
        },
      },
    });
    expect(copied?.files).toBe(1);
  });
});
