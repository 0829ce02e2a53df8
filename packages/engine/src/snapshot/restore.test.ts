import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { minChunkBytes } from '../chunker/chunk-window.ts';
import { randomPolynomial } from '../chunker/polynomial.ts';
import { setAttribute } from '../filesystem/extended-attributes.ts';
import { toByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import { compareTrees } from '../testing/compare-trees.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { backupSources } from './backup.ts';
import { restoreNode, restoreSnapshot } from './restore.ts';
import type { RestoreOptions, RestoreResult } from './restore-request.ts';

const polynomial = randomPolynomial();

let place: TemporaryDirectory;
let source: string;
let target: string;
let blobs: MemoryBlobs;

beforeEach(async () => {
  place = await temporaryDirectory();
  source = join(place.path, 'source');
  target = join(place.path, 'target');
  mkdirSync(source);
  blobs = new MemoryBlobs();
});

afterEach(() => place[Symbol.asyncDispose]());

async function backUp(path = source): Promise<TreeId> {
  const sources = [{ path, treePath: ['data'] as const }];
  return (await backupSources({ writer: blobs, blobs, polynomial, sources })).treeId;
}

async function restore(treeId: TreeId, options: RestoreOptions = {}): Promise<RestoreResult> {
  return await restoreNode({ blobs, treeId, nodePath: ['data'], targetPath: target, options });
}

const nothingWrong = { warnings: [], failures: [] };

/** A source with a bit of everything that needs no root. */
function fill(): void {
  mkdirSync(join(source, 'dir', 'deep'), { recursive: true });
  mkdirSync(join(source, 'empty'));
  writeFileSync(join(source, 'dir', 'file'), 'content');
  writeFileSync(join(source, 'dir', 'deep', 'zeros'), Buffer.alloc(3 * minChunkBytes));
  writeFileSync(join(source, 'large'), Buffer.alloc(4 * minChunkBytes + 1, 'large '));
  linkSync(join(source, 'dir', 'file'), join(source, 'dir', 'deep', 'linked'));
  linkSync(join(source, 'dir', 'file'), join(source, 'a-linked'));
  symlinkSync('dir/file', join(source, 'link'));
  chmodSync(join(source, 'empty'), 0o1711);
  utimesSync(join(source, 'dir', 'deep'), 10, 20.5);
  setAttribute(toByteString(join(source, 'large')), {
    name: toByteString('user.a'),
    value: Buffer.from('b'),
  });
}

describe('restoreNode', () => {
  it.each<RestoreOptions>([{}, { sparse: true, verify: true, syncTarget: false }])(
    'makes the target equal to the source (%j)',
    async (options) => {
      fill();
      const result = await restore(await backUp(), options);
      expect(result).toMatchObject(nothingWrong);
      expect(result.summary).toMatchObject({ files: 6, dirs: 4, unchanged: 0, deleted: 0 });
      expect(compareTrees(source, target)).toEqual([]);
      const { blocks } = statSync(join(target, 'dir', 'deep', 'zeros'));
      expect(blocks === 0).toBe(options.sparse === true);
    },
  );

  it('restores a single file, and the same again without writing it', async () => {
    writeFileSync(join(source, 'file'), 'alone');
    const treeId = await backUp(join(source, 'file'));
    expect(await restore(treeId)).toMatchObject({ summary: { files: 1, unchanged: 0 }, ...nothingWrong });
    expect(compareTrees(join(source, 'file'), target)).toEqual([]);
    const { ino, ctimeMs } = lstatSync(target);
    expect(await restore(treeId)).toMatchObject({ summary: { files: 1, unchanged: 1 } });
    expect(lstatSync(target)).toMatchObject({ ino, ctimeMs });
  });

  it('repairs whatever is different, and touches nothing that is right', async () => {
    fill();
    const treeId = await backUp();
    await restore(treeId);
    const untouched = lstatSync(join(target, 'dir', 'deep', 'zeros'));
    writeFileSync(join(target, 'large'), 'another content');
    chmodSync(join(target, 'dir'), 0o700);
    setAttribute(toByteString(join(target, 'dir')), { name: toByteString('user.x'), value: Buffer.alloc(1) });
    utimesSync(join(target, 'empty'), 1, 1);
    renameSync(join(target, 'link'), join(target, 'renamed'));
    mkdirSync(join(target, 'link'));
    const result = await restore(treeId, { deleteExtraneous: true });
    expect(result).toMatchObject({ summary: { deleted: 2 }, ...nothingWrong });
    expect(compareTrees(source, target)).toEqual([]);
    expect(lstatSync(join(target, 'dir', 'deep', 'zeros'))).toMatchObject({
      ino: untouched.ino,
      ctimeMs: untouched.ctimeMs,
    });
  });

  it('finds a change that size and time do not show, but not with if-changed', async () => {
    writeFileSync(join(source, 'a'), 'right');
    utimesSync(join(source, 'a'), 5, 5);
    const treeId = await backUp();
    await restore(treeId);
    writeFileSync(join(target, 'a'), 'wrong');
    utimesSync(join(target, 'a'), 5, 5);
    await restore(treeId, { overwrite: 'if-changed' });
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('wrong');
    await restore(treeId);
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('right');
  });

  it('leaves files alone with never, and newer ones with if-newer', async () => {
    for (const name of ['older', 'newer']) {
      writeFileSync(join(source, name), 'snapshot');
      utimesSync(join(source, name), 1000, 1000);
    }
    const treeId = await backUp();
    mkdirSync(target);
    for (const [name, time] of [
      ['older', 500],
      ['newer', 2000],
    ] as const) {
      writeFileSync(join(target, name), 'target');
      utimesSync(join(target, name), time, time);
    }
    expect(await restore(treeId, { overwrite: 'never' })).toMatchObject({ summary: { skipped: 2 } });
    expect(readFileSync(join(target, 'older'), 'utf8')).toBe('target');
    expect(await restore(treeId, { overwrite: 'if-newer' })).toMatchObject({ summary: { skipped: 1 } });
    expect(readFileSync(join(target, 'older'), 'utf8')).toBe('snapshot');
    expect(readFileSync(join(target, 'newer'), 'utf8')).toBe('target');
  });

  it('keeps what the snapshot does not have unless told to delete it', async () => {
    writeFileSync(join(source, 'a'), 'x');
    const treeId = await backUp();
    mkdirSync(join(target, 'extra', 'deep'), { recursive: true });
    writeFileSync(join(target, 'extra', 'deep', 'file'), 'x');
    await restore(treeId);
    expect(readdirSync(target)).toEqual(['a', 'extra']);
    expect(await restore(treeId, { deleteExtraneous: true })).toMatchObject({ summary: { deleted: 3 } });
    expect(readdirSync(target)).toEqual(['a']);
  });

  it('removes what a restore that was cut off left, and no lookalike that is in the snapshot', async () => {
    const leftover = '.holdfast-restore-0123456789abcdef';
    const kept = '.holdfast-restore-fedcba9876543210';
    writeFileSync(join(source, kept), 'part of the data');
    const treeId = await backUp();
    mkdirSync(target);
    writeFileSync(join(target, leftover), 'half a file');
    await restore(treeId);
    expect(readdirSync(target)).toEqual([kept]);
  });

  it('does not replace a directory that is not empty by a file unless told to delete', async () => {
    writeFileSync(join(source, 'a'), 'file');
    writeFileSync(join(source, 'b'), 'file');
    const treeId = await backUp();
    mkdirSync(join(target, 'a', 'below'), { recursive: true });
    mkdirSync(join(target, 'b'));
    const careful = await restore(treeId);
    expect(careful.failures).toEqual([
      { path: join(target, 'a'), message: expect.stringContaining('not empty is in the way') },
    ]);
    expect(readFileSync(join(target, 'b'), 'utf8')).toBe('file');
    expect(await restore(treeId, { deleteExtraneous: true })).toMatchObject(nothingWrong);
    expect(compareTrees(source, target)).toEqual([]);
  });

  it('breaks links between files that the snapshot has apart, and leaves the other name as it was', async () => {
    for (const name of ['a', 'b']) writeFileSync(join(source, name), 'same');
    const treeId = await backUp();
    mkdirSync(target);
    const outside = join(place.path, 'outside');
    writeFileSync(outside, 'same');
    chmodSync(outside, 0o600);
    for (const name of ['a', 'b']) linkSync(outside, join(target, name));
    expect(await restore(treeId)).toMatchObject(nothingWrong);
    expect(compareTrees(source, target)).toEqual([]);
    expect(lstatSync(outside)).toMatchObject({ nlink: 1 });
    expect(lstatSync(outside).mode & 0o777).toBe(0o600);
  });

  it('knows no node at a path that the snapshot does not have', async () => {
    const treeId = await backUp();
    for (const nodePath of [['other'], ['data', 'a']] as const) {
      await expect(restoreNode({ blobs, treeId, nodePath, targetPath: target })).rejects.toMatchObject({
        code: 'path-unknown',
      });
    }
  });
});

describe('restoreSnapshot', () => {
  it('puts the top entries into a directory that it makes', async () => {
    fill();
    const treeId = await backUp();
    const targetDirectory = join(place.path, 'made', 'for', 'it');
    const result = await restoreSnapshot({ blobs, treeId, targetDirectory });
    expect(result).toMatchObject(nothingWrong);
    expect(compareTrees(source, join(targetDirectory, 'data'))).toEqual([]);
  });
});

describe('symbolic links in the way', () => {
  let outside: string;

  beforeEach(() => {
    outside = join(place.path, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'untouched');
    mkdirSync(target);
  });

  it('of directories and files are replaced and not followed', async () => {
    mkdirSync(join(source, 'dir'));
    writeFileSync(join(source, 'dir', 'secret'), 'from the snapshot');
    writeFileSync(join(source, 'secret'), 'from the snapshot');
    const treeId = await backUp();
    symlinkSync(outside, join(target, 'dir'));
    symlinkSync(join(outside, 'secret'), join(target, 'secret'));
    expect(await restore(treeId, { deleteExtraneous: true })).toMatchObject(nothingWrong);
    expect(compareTrees(source, target)).toEqual([]);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('untouched');
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  it('that are extraneous are removed themselves', async () => {
    const treeId = await backUp();
    symlinkSync(outside, join(target, 'extra'));
    mkdirSync(join(target, 'below'));
    symlinkSync(outside, join(target, 'below', 'extra'));
    await restore(treeId, { deleteExtraneous: true });
    expect(readdirSync(target)).toEqual([]);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('untouched');
  });

  it('at the target itself are refused', async () => {
    const treeId = await backUp();
    const link = join(place.path, 'link');
    symlinkSync(outside, link);
    const restoring = restoreNode({ blobs, treeId, nodePath: ['data'], targetPath: link });
    await expect(restoring).rejects.toMatchObject({ code: 'target-unsafe' });
    expect(readlinkSync(link)).toBe(outside);
  });

  it('that appear while the restore runs lead nowhere', async () => {
    for (let number = 0; number < 30; number += 1) {
      mkdirSync(join(source, `dir-${number}`));
      writeFileSync(join(source, `dir-${number}`, 'secret'), 'from the snapshot');
    }
    const treeId = await backUp();
    const swapping = new Swapping(blobs, () => {
      for (const name of readdirSync(target)) {
        if (!lstatSync(join(target, name)).isDirectory()) continue;
        renameSync(join(target, name), join(place.path, `moved-${name}-${Math.random()}`));
        symlinkSync(outside, join(target, name));
      }
    });
    await restoreNode({ blobs: swapping, treeId, nodePath: ['data'], targetPath: target });
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('untouched');
    expect(readdirSync(outside)).toEqual(['secret']);
  });
});

/** Does something to the target before each blob that is read. */
class Swapping extends MemoryBlobs {
  readonly #inner: MemoryBlobs;
  readonly #swap: () => void;

  constructor(inner: MemoryBlobs, swap: () => void) {
    super();
    this.#inner = inner;
    this.#swap = swap;
  }

  override blobSizeBytes(...asked: Parameters<MemoryBlobs['blobSizeBytes']>): number | undefined {
    return this.#inner.blobSizeBytes(...asked);
  }

  override async readBlob(...asked: Parameters<MemoryBlobs['readBlob']>): Promise<Uint8Array> {
    this.#swap();
    return await this.#inner.readBlob(...asked);
  }
}

describe('a hostile or damaged snapshot', () => {
  const file = (name: string): string => `{"name":${JSON.stringify(name)},"type":"file","content":[]}`;
  const treeOf = (...nodes: string[]): TreeId => blobs.addTree(`{"nodes":[${nodes.join(',')}]}`);
  const dir = (name: string, subtree: TreeId): string =>
    `{"name":${JSON.stringify(name)},"type":"dir","mode":2147484141,"subtree":"${subtree}"}`;

  it.each(['..', '.', 'a/b', '/etc/passwd', '../../escaped', '\\x00', 'a\\x00b'])(
    'with the name %j is refused before anything is written',
    async (name) => {
      const treeId = treeOf(dir('data', treeOf(file(name))));
      mkdirSync(target);
      await expect(restore(treeId, { deleteExtraneous: true })).rejects.toMatchObject({
        code: 'target-unsafe',
      });
      expect(readdirSync(target)).toEqual([]);
      expect(existsSync(join(place.path, 'escaped'))).toBe(false);
    },
  );

  it('is restored as far as it goes, and what is lost is told', async () => {
    const lost = '0'.repeat(64);
    const damaged = blobs.addTree('no tree');
    const { id } = blobs.add('data', Buffer.from('fine'));
    const content = (name: string, blob: string): string =>
      `{"name":"${name}","type":"file","mode":420,"size":4,"content":["${blob}"]}`;
    const nodes = [
      content('a-lost', lost),
      dir('b-lost', lost as TreeId),
      dir('c-damaged', damaged),
      '{"name":"d-no-subtree","type":"dir"}',
      content('e-fine', id),
      '{"name":"f-wrong-size","type":"file","size":5,"content":[]}',
      '{"name":"g-unknown","type":"hologram"}',
    ];
    const result = await restore(treeOf(dir('data', treeOf(...nodes))));
    expect(result.failures.map(({ path }) => path.slice(target.length + 1)).toSorted()).toEqual([
      'a-lost',
      'b-lost',
      'c-damaged',
      'd-no-subtree',
      'f-wrong-size',
      'g-unknown',
    ]);
    expect(readFileSync(join(target, 'e-fine'), 'utf8')).toBe('fine');
    expect(readdirSync(target)).toEqual(['b-lost', 'c-damaged', 'd-no-subtree', 'e-fine']);
  });

  it('never leaves half a file where one was', async () => {
    const { id } = blobs.add('data', Buffer.alloc(100_000, 'new'));
    const { id: damaged } = blobs.add('data', Buffer.alloc(100_000, 'bad'));
    blobs.damage('data', damaged);
    const node = `{"name":"file","type":"file","size":200000,"content":["${id}","${damaged}"]}`;
    const treeId = treeOf(dir('data', treeOf(node)));
    mkdirSync(target);
    writeFileSync(join(target, 'file'), 'old');
    const { failures } = await restore(treeId);
    expect(failures).toHaveLength(1);
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('old');
    expect(readdirSync(target)).toEqual(['file']);
  });
});

it('ends when it is told to', async () => {
  fill();
  const treeId = await backUp();
  const controller = new AbortController();
  const aborting = new Swapping(blobs, () => controller.abort());
  const restoring = restoreNode({
    blobs: aborting,
    treeId,
    nodePath: ['data'],
    targetPath: target,
    signal: controller.signal,
  });
  await expect(restoring).rejects.toMatchObject({ code: 'interrupted' });
});

it('says that a target cannot be written', async () => {
  const treeId = await backUp();
  const nowhere = restoreNode({ blobs, treeId, nodePath: ['data'], targetPath: '/proc/nowhere/x' });
  await expect(nowhere).rejects.toMatchObject({ code: 'target-not-writable' });
  const empty = restoreNode({ blobs, treeId, nodePath: ['data'], targetPath: '' });
  await expect(empty).rejects.toMatchObject({ code: 'usage-invalid' });
});
