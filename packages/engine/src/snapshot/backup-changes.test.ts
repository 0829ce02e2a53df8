import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { minChunkBytes } from '../chunker/chunk-window.ts';
import { randomPolynomial } from '../chunker/polynomial.ts';
import { byteStringToText } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { backupSources } from './backup.ts';
import type { BackupOptions, BackupRequest, BackupResult } from './backup-request.ts';
import { DryBlobWriter } from './dry-blob-writer.ts';
import { cacheDirectoryTag } from './exclusion.ts';
import { scanSources } from './scan.ts';
import { walkTree } from './walk.ts';

const polynomial = randomPolynomial();
const modifiedAt = { seconds: 1_600_000_000, nanoseconds: 5 };

let place: TemporaryDirectory;
let source: string;
let blobs: MemoryBlobs;

beforeEach(async () => {
  place = await temporaryDirectory();
  source = join(place.path, 'source');
  mkdirSync(source);
  blobs = new MemoryBlobs();
});

afterEach(() => place[Symbol.asyncDispose]());

async function backUp(request: Partial<BackupRequest> = {}): Promise<BackupResult> {
  const sources = [{ path: source, treePath: ['data'] as const }];
  return await backupSources({ writer: blobs, blobs, polynomial, sources, ...request });
}

async function entries(treeId: TreeId): Promise<Map<string, Node>> {
  const found = new Map<string, Node>();
  for await (const { path, node } of walkTree({ blobs, treeId })) found.set(byteStringToText(path), node);
  return found;
}

async function contentOf(node: Node | undefined): Promise<Buffer> {
  return Buffer.concat(await Promise.all((node?.content ?? []).map((id) => blobs.readBlob('data', id))));
}

describe('files that change under a backup are told, and the rest is saved', () => {
  /** Long enough that it is read in pieces, the first of which is stored before the last is read. */
  const large = testBytes('changing', 80 * minChunkBytes);

  /** Backs up `a-first` to `z-last`, changing something when so many bytes, and `a-first`, are saved. */
  async function whileChanging(change: () => void, bytesBefore = 1): Promise<BackupResult> {
    for (const name of ['a-first', 'z-last']) writeFileSync(join(source, name), name);
    let isChanged = false;
    return await backUp({
      progress: {
        report: ({ bytes }) => {
          if (isChanged || bytes < bytesBefore) return;
          isChanged = true;
          change();
        },
      },
    });
  }

  it.each<readonly [string, (path: string) => void, (content: Buffer) => void]>([
    ['grow', (path) => appendFileSync(path, 'more'), (content) => expect(content.equals(large)).toBe(true)],
    [
      'shrink',
      (path) => truncateSync(path, 60 * minChunkBytes),
      (content) => {
        expect(content.length).toBeLessThan(large.length);
        expect(content.equals(large.subarray(0, content.length))).toBe(true);
      },
    ],
    [
      'become empty',
      (path) => truncateSync(path, 0),
      (content) => expect(content.length).toBeLessThan(large.length),
    ],
    [
      'are written in place',
      (path) => writeFileSync(path, large.subarray(0, 10), { flag: 'r+' }),
      (content) => expect(content.length).toBe(large.length),
    ],
  ])('that %s while they are read', async (_what, change, check) => {
    const path = join(source, 'file');
    writeFileSync(path, large);
    const result = await whileChanging(() => change(path), minChunkBytes);
    expect(result.warnings).toEqual([
      { path, message: expect.stringContaining('changed while it was read') },
    ]);
    const found = await entries(result.treeId);
    expect([...found.keys()]).toEqual(['/data', '/data/a-first', '/data/file', '/data/z-last']);
    const content = await contentOf(found.get('/data/file'));
    expect(found.get('/data/file')?.size).toBe(content.length);
    check(content);
  });

  it.each<readonly [string, (path: string) => void, string]>([
    ['vanish', (path) => rmSync(path, { recursive: true }), 'no longer there'],
    [
      'become symbolic links',
      (path) => {
        renameSync(path, `${path}-moved`);
        symlinkSync('/etc', path);
      },
      '',
    ],
  ])('that %s between being listed and read', async (_what, change, message) => {
    for (const name of ['m-directory/below', 'm-file/below']) {
      mkdirSync(join(source, name, '..'), { recursive: true });
      writeFileSync(join(source, name), 'x');
    }
    // More than one turn of entries, so that the walk has not gone on to the end when the first file is reported.
    for (let number = 0; number < 3000; number += 1) writeFileSync(join(source, `b-${number}`), '1');
    const path = join(source, 'm-directory');
    const result = await whileChanging(() => change(path));
    const found = await entries(result.treeId);
    expect(found.get('/data/m-file/below')?.size).toBe(1);
    expect(found.get('/data/m-directory/below')).toBeUndefined();
    expect([...found.keys()].some((name) => name.startsWith('/data/m-directory/'))).toBe(false);
    if (message === '') expect(found.get('/data/m-directory')?.type).toBe('symlink');
    else expect(result.warnings).toEqual([{ path, message: expect.stringContaining(message) }]);
  });
});

describe('files whose size does not say what can be read of them', () => {
  it('are read to their end on proc, without a warning', async () => {
    const sources = ['/proc/version', '/proc/self/cmdline'].map((path) => ({
      path,
      treePath: [path.slice(1).replaceAll('/', '-')] as const,
    }));
    const { treeId, warnings, summary } = await backUp({ sources });
    expect(warnings).toEqual([]);
    const found = await entries(treeId);
    expect(await contentOf(found.get('/proc-version'))).toEqual(readFileSync('/proc/version'));
    expect(found.get('/proc-version')?.size).toBe(readFileSync('/proc/version').length);
    expect(summary.bytes).toBe(
      readFileSync('/proc/version').length + readFileSync('/proc/self/cmdline').length,
    );
  });

  it('are read to their end on sysfs, whose sizes are too large', async () => {
    const path = '/sys/kernel/mm/transparent_hugepage/enabled';
    const { treeId, warnings } = await backUp({ sources: [{ path, treePath: ['file'] }] });
    expect(warnings).toEqual([]);
    expect(await contentOf((await entries(treeId)).get('/file'))).toEqual(readFileSync(path));
  });
});

describe('streams', () => {
  async function* pieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array, void> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }

  it.each([100_003, 65_536, 30_000_000])(
    'are cut as a file is, given in pieces of %d bytes',
    async (size) => {
      const bytes = testBytes('stream', 24 * minChunkBytes);
      writeFileSync(join(source, 'file'), bytes);
      const streams = [{ stream: pieces(bytes, size), treePath: ['dumps', 'all.sql'] as const, modifiedAt }];
      const { treeId, summary, warnings } = await backUp({ streams });
      expect(warnings).toEqual([]);
      expect(summary).toMatchObject({ files: 2, bytes: 2 * bytes.length });
      const found = await entries(treeId);
      expect([...found.keys()]).toEqual(['/data', '/data/file', '/dumps', '/dumps/all.sql']);
      expect(found.get('/dumps/all.sql')).toMatchObject({
        size: bytes.length,
        uid: 0,
        mode: 0o644,
        modifiedAt,
      });
      expect(found.get('/dumps/all.sql')?.content).toEqual(found.get('/data/file')?.content);
      expect(found.get('/dumps/all.sql')?.content?.length).toBeGreaterThan(3);
    },
  );

  it('that are empty, or fail, end the backup', async () => {
    const treePath = ['file'] as const;
    const empty = { stream: pieces(Buffer.alloc(0), 1), treePath, modifiedAt };
    await expect(backUp({ sources: [], streams: [empty] })).rejects.toMatchObject({ code: 'source-empty' });
    const failure = new Error('broken');
    async function* failing(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.from('half');
      throw failure;
    }
    const failed = backUp({ sources: [], streams: [{ stream: failing(), treePath, modifiedAt }] });
    await expect(failed).rejects.toBe(failure);
  });

  it('never have more than a few chunks under way', async () => {
    let underWayBytes = 0;
    let most = 0;
    const slow = new (class extends MemoryBlobs {
      override async saveBlob(...saved: Parameters<MemoryBlobs['saveBlob']>) {
        const { length } = saved[1];
        underWayBytes += length;
        most = Math.max(most, underWayBytes);
        await new Promise((resolve) => setImmediate(resolve));
        underWayBytes -= length;
        return await super.saveBlob(...saved);
      }
    })();
    blobs = slow;
    const bytes = testBytes('many', 80 * minChunkBytes);
    const streams = [{ stream: pieces(bytes, bytes.length), treePath: ['f'] as const, modifiedAt }];
    const { treeId } = await backUp({ sources: [], streams });
    expect((await contentOf((await entries(treeId)).get('/f'))).equals(bytes)).toBe(true);
    expect(most).toBeLessThanOrEqual(12 * 1024 * 1024);
  });

  it('are read no further once a chunk could not be stored, and closed', async () => {
    const full = new HoldfastError('storage-full', 'No room.', { hint: 'Make room.' });
    blobs = new (class extends MemoryBlobs {
      override async saveBlob(...saved: Parameters<MemoryBlobs['saveBlob']>) {
        if (saved[0] === 'data') throw full;
        return await super.saveBlob(...saved);
      }
    })();
    let isClosed = false;
    async function* endless(): AsyncGenerator<Buffer, void> {
      try {
        for (;;) yield testBytes('endless', minChunkBytes);
      } finally {
        isClosed = true;
        await Promise.reject(new Error('And this is how it takes it.'));
      }
    }
    const streams = [{ stream: endless(), treePath: ['f'] as const, modifiedAt }];
    await expect(backUp({ sources: [], streams })).rejects.toThrow(full);
    expect(isClosed).toBe(true);
  });

  it('share no place with anything else', async () => {
    const stream = { stream: pieces(Buffer.from('x'), 1), treePath: ['data'] as const, modifiedAt };
    await expect(backUp({ streams: [stream] })).rejects.toMatchObject({ code: 'usage-invalid' });
    await expect(backUp({ sources: [], streams: [stream, stream] })).rejects.toMatchObject({
      code: 'usage-invalid',
    });
  });
});

describe('rules', () => {
  it('leave out caches, tagged directories and large files, in the scan too', async () => {
    for (const directory of ['cache', 'fake', 'tagged/deep', 'plain']) {
      mkdirSync(join(source, directory), { recursive: true });
      writeFileSync(join(source, directory, 'file'), 'x');
    }
    writeFileSync(join(source, 'cache', 'CACHEDIR.TAG'), `${cacheDirectoryTag.header}\n`);
    writeFileSync(join(source, 'fake', 'CACHEDIR.TAG'), 'Signature: none');
    writeFileSync(join(source, 'tagged', '.nobackup'), '');
    writeFileSync(join(source, 'plain', 'large'), Buffer.alloc(101));
    writeFileSync(join(source, 'plain', 'exact'), Buffer.alloc(100));
    const rules = {
      excludeIfPresent: [cacheDirectoryTag, { name: '.nobackup' }],
      excludeLargerThanBytes: 100,
    };
    const { treeId } = await backUp(rules);
    const found = await entries(treeId);
    expect([...found.keys()].filter((path) => found.get(path)?.type === 'file')).toEqual([
      '/data/cache/CACHEDIR.TAG',
      '/data/fake/CACHEDIR.TAG',
      '/data/fake/file',
      '/data/plain/exact',
      '/data/plain/file',
      '/data/tagged/.nobackup',
    ]);
    const scan = await scanSources({ sources: [{ path: source, treePath: ['data'] }], ...rules });
    expect(scan.files).toBe(6);
  });

  it('take files for unchanged whose change time, or inode, is another', async () => {
    const path = join(source, 'a');
    const write = (content: string) => {
      rmSync(path, { force: true });
      writeFileSync(path, content);
      utimesSync(path, 1000, 1000);
    };
    write('x');
    const first = await backUp();
    const parent = { treeId: first.treeId, startedAtMs: Date.now() + 3_600_000 };
    const contentWith = async (options: BackupOptions) => {
      const { treeId } = await backUp({ parent, options });
      return String(await contentOf((await entries(treeId)).get('/data/a')));
    };
    writeFileSync(path, 'y');
    utimesSync(path, 1000, 1000);
    expect(await contentWith({ ignoreChangeTime: true })).toBe('x');
    expect(await contentWith({ ignoreInode: true })).toBe('x');
    expect(await contentWith({})).toBe('y');
    renameSync(path, `${path}-keeps-the-inode`);
    write('z');
    expect(await contentWith({ ignoreInode: true })).toBe('x');
    expect(await contentWith({ ignoreChangeTime: true })).toBe('z');
  });
});

it('a dry run tells what would be added, and adds nothing', async () => {
  const bytes = testBytes('dry', 6 * minChunkBytes);
  for (const name of ['a', 'b']) writeFileSync(join(source, name), bytes);
  writeFileSync(join(source, 'small'), 'words '.repeat(1000));
  const dry = await backUp({ writer: new DryBlobWriter(blobs) });
  expect(blobs.hasBlob('tree', dry.treeId)).toBe(false);
  const { treeId, summary } = await backUp();
  expect(dry.treeId).toBe(treeId);
  expect(dry.summary.fileCounts).toEqual(summary.fileCounts);
  expect(dry.summary.storedBytes).toBeGreaterThan(bytes.length);
  expect(dry.summary.storedBytes).toBeLessThan(bytes.length + 6000);
  expect((await backUp({ writer: new DryBlobWriter(blobs) })).summary.storedBytes).toBe(0);
});
