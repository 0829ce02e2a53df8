import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '@holdfast/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { minChunkBytes } from '../chunker/chunk-window.ts';
import { randomPolynomial } from '../chunker/polynomial.ts';
import { byteStringToText, toByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { backupSources } from './backup.ts';
import type { BackupRequest, BackupResult } from './backup-request.ts';
import type { ProgressReport } from './progress.ts';
import { scanSources } from './scan.ts';
import { sourcesFromArguments } from './source-arguments.ts';
import { walkTree } from './walk.ts';

const polynomial = randomPolynomial();

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
  return await backupSources({
    writer: blobs,
    blobs,
    polynomial,
    sources: [{ path: source, treePath: ['data'] }],
    ...request,
  });
}

async function entries(treeId: TreeId): Promise<Map<string, Node>> {
  const found = new Map<string, Node>();
  for await (const { path, node } of walkTree({ blobs, treeId })) found.set(byteStringToText(path), node);
  return found;
}

async function contentOf(node: Node | undefined): Promise<string> {
  const chunks = await Promise.all((node?.content ?? []).map((id) => blobs.readBlob('data', id)));
  return Buffer.concat(chunks).toString();
}

/** Files whose status changed less than two seconds before a parent backup are read again. */
const longAgo = () => ({ startedAtMs: Date.now() + 3_600_000 });

describe('a part', () => {
  it('has exactly one top entry, with the metadata of the source', async () => {
    writeFileSync(join(source, 'a'), 'hello');
    chmodSync(source, 0o2751);
    utimesSync(source, 1000, 2000);
    const { treeId, summary, warnings } = await backUp();
    const found = await entries(treeId);
    expect([...found.keys()]).toEqual(['/data', '/data/a']);
    expect(found.get('/data')).toMatchObject({
      type: 'dir',
      mode: 2151678441,
      modifiedAt: { seconds: 2000, nanoseconds: 0 },
      user: '',
      group: '',
    });
    expect(await contentOf(found.get('/data/a'))).toBe('hello');
    expect(summary).toMatchObject({ files: 1, dirs: 1, bytes: 5 });
    expect(warnings).toEqual([]);
  });

  it('may be a single file', async () => {
    writeFileSync(join(source, 'file'), 'alone');
    const { treeId } = await backUp({ sources: [{ path: join(source, 'file'), treePath: ['data'] }] });
    const found = await entries(treeId);
    expect([...found.keys()]).toEqual(['/data']);
    expect(await contentOf(found.get('/data'))).toBe('alone');
  });

  it('may be made of several places, below directories with the metadata of others', async () => {
    const [top, far] = ['top', 'far'].map((name) => join(place.path, name));
    for (const path of [top ?? '', far ?? '']) mkdirSync(join(path, 'deep'), { recursive: true });
    chmodSync(top ?? '', 0o710);
    writeFileSync(join(top ?? '', 'model'), 'x');
    writeFileSync(join(far ?? '', 'deep/file'), 'y');
    const sources = [
      { path: join(top ?? '', 'model'), treePath: ['data', 'model'] },
      { path: join(far ?? '', 'deep'), treePath: ['data', 'folder'], parentPaths: [top ?? ''] },
      {
        path: join(far ?? '', 'deep/file'),
        treePath: ['data', 'other', 'file'],
        parentPaths: [top ?? '', source],
      },
    ] as const;
    const { treeId } = await backUp({ sources });
    const found = await entries(treeId);
    expect([...found.keys()]).toEqual([
      '/data',
      '/data/folder',
      '/data/folder/file',
      '/data/model',
      '/data/other',
      '/data/other/file',
    ]);
    expect((found.get('/data')?.mode ?? 0) & 0o777).toBe(0o710);
    const [first, second] = sources;
    const elsewhere = [first, { ...second, parentPaths: [source] }];
    await expect(backUp({ sources: elsewhere })).rejects.toMatchObject({ code: 'usage-invalid' });
  });

  it('is counted only as far as it is told to be', async () => {
    for (let file = 0; file < 50; file += 1) writeFileSync(join(source, `${file}`), 'x'.repeat(10));
    const sources = [{ path: source, treePath: ['data'] as const }];
    const scan = async (entries: number, bytes: number) =>
      await scanSources({ sources, enough: { entries, bytes } });
    expect(await scan(51, 500)).toEqual({ files: 50, dirs: 1, bytes: 500 });
    expect((await scan(10, 500)).files).toBe(10);
    expect((await scan(51, 95)).bytes).toBe(100);
  });

  it('is the same tree for the same state', async () => {
    writeFileSync(join(source, 'a'), 'x');
    mkdirSync(join(source, 'd'));
    const first = await backUp();
    const second = await backUp();
    expect(second.treeId).toBe(first.treeId);
    expect(second.summary.storedBytes).toBe(0);
  });
});

describe('sources with paths', () => {
  it('stand below directories with the metadata of the real ones', async () => {
    writeFileSync(join(source, 'a'), 'x');
    chmodSync(place.path, 0o705);
    const { treeId } = await backUp({ sources: sourcesFromArguments([source]) });
    const found = await entries(treeId);
    const parents = source.split('/').map((_, index, names) => names.slice(0, index + 1).join('/'));
    expect([...found.keys()]).toEqual([...parents.slice(1), join(source, 'a')]);
    expect((found.get(place.path)?.mode ?? 0) & 0o777).toBe(0o705);
  });

  it('warn of one that is missing, and fail when all are', async () => {
    writeFileSync(join(source, 'a'), 'x');
    const missing = join(source, 'missing');
    const result = await backUp({ sources: sourcesFromArguments([source, missing]) });
    expect(result.warnings).toEqual([{ path: missing, message: expect.stringContaining('no longer there') }]);
    await expect(backUp({ sources: [{ path: missing, treePath: ['data'] }] })).rejects.toMatchObject({
      code: 'source-missing',
    });
  });

  it('fail when everything is excluded', async () => {
    await expect(backUp({ excludes: ['source'] })).rejects.toMatchObject({ code: 'source-empty' });
  });
});

describe('entries', () => {
  it('of all kinds that need no root are kept, sockets left out', async () => {
    symlinkSync('nowhere', join(source, 'link'));
    writeFileSync(join(source, 'one'), 'x');
    linkSync(join(source, 'one'), join(source, 'two'));
    const server = createServer().listen(join(source, 'socket'));
    await sleep(20);
    const { treeId, warnings } = await backUp();
    server.close();
    const found = await entries(treeId);
    expect([...found.keys()]).toEqual(['/data', '/data/link', '/data/one', '/data/two']);
    expect(found.get('/data/link')).toMatchObject({ type: 'symlink', linkTarget: 'nowhere', content: null });
    expect(found.get('/data/one')).toMatchObject({ links: 2, inode: found.get('/data/two')?.inode });
    expect(warnings).toEqual([]);
  });

  it('that patterns exclude are left out, with all below', async () => {
    for (const directory of ['keep', 'cache']) mkdirSync(join(source, directory));
    for (const file of ['keep/a.log', 'keep/b', 'cache/c']) writeFileSync(join(source, file), 'x');
    const excludes = ['*.log', `${source}/cache`];
    const { treeId } = await backUp({ excludes });
    expect([...(await entries(treeId)).keys()]).toEqual(['/data', '/data/keep', '/data/keep/b']);
    const scan = await scanSources({ sources: [{ path: source, treePath: ['data'] }], excludes });
    expect(scan).toEqual({ files: 1, dirs: 2, bytes: 1 });
  });

  it('are many and large within one run', async () => {
    const large = Buffer.alloc(3 * minChunkBytes + 5, 'large file ');
    for (let number = 0; number < 700; number += 1)
      writeFileSync(join(source, `file-${number}`), `${number}`);
    writeFileSync(join(source, 'large'), large);
    writeFileSync(join(source, 'exact'), large.subarray(0, minChunkBytes));
    const reports: ProgressReport[] = [];
    const { treeId, summary } = await backUp({ progress: { report: (report) => void reports.push(report) } });
    const found = await entries(treeId);
    expect(await contentOf(found.get('/data/large'))).toBe(large.toString());
    expect(found.get('/data/exact')?.content).toHaveLength(1);
    expect(await contentOf(found.get('/data/file-345'))).toBe('345');
    expect(summary.files).toBe(702);
    expect(reports.at(-1)).toMatchObject({ files: 702, bytes: summary.bytes });
  });
});

describe('with a parent backup', () => {
  it('unchanged files are not read again', async () => {
    for (const name of ['a', 'b']) writeFileSync(join(source, name), name.repeat(10));
    const first = await backUp();
    chmodSync(join(source, 'b'), 0o600);
    const second = await backUp({ parent: { treeId: first.treeId, ...longAgo() } });
    expect(second.summary.fileCounts).toEqual({ new: 0, changed: 0, unmodified: 2 });
    expect(second.summary.bytes).toBe(20);
    writeFileSync(join(source, 'a'), 'changed');
    writeFileSync(join(source, 'c'), 'new');
    const third = await backUp({ parent: { treeId: second.treeId, ...longAgo() } });
    expect(third.summary.fileCounts).toEqual({ new: 1, changed: 1, unmodified: 1 });
    expect(await contentOf((await entries(third.treeId)).get('/data/a'))).toBe('changed');
  });

  it('a file that changed just before it is read again, whatever its times say', async () => {
    writeFileSync(join(source, 'a'), 'x');
    const startedAtMs = Date.now();
    const first = await backUp();
    const content = (await entries(first.treeId)).get('/data/a')?.content?.[0];
    if (content === undefined) throw new Error('no content');
    blobs.remove('data', content);
    blobs.addTree('');
    const again = await backUp({ parent: { treeId: first.treeId, startedAtMs } });
    expect(again.summary.storedBytes).toBe(1);
  });

  it('a file whose chunks are gone from the repository is stored again', async () => {
    writeFileSync(join(source, 'a'), 'x');
    const first = await backUp();
    const content = (await entries(first.treeId)).get('/data/a')?.content?.[0];
    if (content !== undefined) blobs.remove('data', content);
    const second = await backUp({ parent: { treeId: first.treeId, ...longAgo() } });
    expect(second.summary.storedBytes).toBe(1);
  });

  it('that is damaged or lost, everything is read, with a warning', async () => {
    writeFileSync(join(source, 'a'), 'x');
    const first = await backUp();
    blobs.damage('tree', first.treeId);
    const second = await backUp({ parent: { treeId: first.treeId, ...longAgo() } });
    expect(second.summary.fileCounts.new).toBe(1);
    expect(second.warningCount).toBe(1);
    const garbage = blobs.addTree('{"nodes":[{"name":"data","type":"dir","subtree":7}]}');
    const third = await backUp({ parent: { treeId: garbage, ...longAgo() } });
    expect(third.summary.fileCounts.new).toBe(1);
    expect(third.warningCount).toBe(1);
  });
});

describe('what goes wrong meanwhile', () => {
  it('a file that shrinks or grows while it is read is saved as read, with a warning', async () => {
    const path = join(source, 'log');
    for (const change of [() => writeFileSync(path, 'short'), () => appendFileSync(path, 'more')]) {
      writeFileSync(path, Buffer.alloc(2_500_000, 'x'));
      const saving = new (class extends MemoryBlobs {
        override async saveBlob(...saved: Parameters<MemoryBlobs['saveBlob']>) {
          if (saved[0] === 'data') change();
          return await super.saveBlob(...saved);
        }
      })();
      blobs = saving;
      const { treeId, warnings } = await backUp({ writer: saving });
      expect(warnings[0]).toMatchObject({
        path,
        message: expect.stringContaining('changed while it was read'),
      });
      const node = (await entries(treeId)).get('/data/log');
      expect((await contentOf(node)).length).toBe(node?.size);
    }
  });

  it('a failure of the repository ends the backup with its error', async () => {
    for (let number = 0; number < 50; number += 1) writeFileSync(join(source, `${number}`), `${number}`);
    const failure = new HoldfastError('storage-full', 'There is no space left.');
    const full = new (class extends MemoryBlobs {
      override async saveBlob(): Promise<never> {
        throw failure;
      }
    })();
    await expect(backUp({ writer: full })).rejects.toBe(failure);
  });

  it('an abort ends it', async () => {
    writeFileSync(join(source, 'a'), 'x');
    await expect(backUp({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'interrupted' });
    const controller = new AbortController();
    const aborting = new (class extends MemoryBlobs {
      override async saveBlob(...saved: Parameters<MemoryBlobs['saveBlob']>) {
        controller.abort();
        return await super.saveBlob(...saved);
      }
    })();
    await expect(backUp({ writer: aborting, signal: controller.signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });

  it('an entry that vanishes before it is looked at is left out with a warning', async () => {
    for (const name of ['a', 'b']) writeFileSync(join(source, name), 'x');
    const removing = new (class extends MemoryBlobs {
      override hasBlob(...asked: Parameters<MemoryBlobs['hasBlob']>): boolean {
        rmSync(join(source, 'b'), { force: true });
        return super.hasBlob(...asked);
      }
    })();
    blobs = removing;
    const first = await backUp();
    writeFileSync(join(source, 'b'), 'x');
    const second = await backUp({ parent: { treeId: first.treeId, ...longAgo() } });
    expect([...(await entries(second.treeId)).keys()]).toEqual(['/data', '/data/a']);
    expect(second.warnings).toEqual([
      { path: join(source, 'b'), message: 'it was left out: it is no longer there' },
    ]);
  });
});

it('writes the state to storage first when told to', async () => {
  writeFileSync(join(source, 'a'), 'x');
  const { treeId } = await backUp({
    options: { mappedWrites: { sync: true, inodes: new Set() }, oneFileSystem: true },
  });
  expect([...(await entries(treeId)).keys()]).toEqual(['/data', '/data/a']);
});

it('names owners as this machine does, when told to', async () => {
  writeFileSync(join(source, 'a'), 'x');
  const { treeId } = await backUp({ options: { ownerNames: true } });
  const [ownName] = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .filter((line) => line.split(':')[2] === String(process.getuid?.()))
    .map((line) => line.split(':')[0]);
  expect((await entries(treeId)).get('/data')?.user).toBe(toByteString(ownName ?? ''));
});
