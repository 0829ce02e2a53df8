import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TreeId } from '../format/ids.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { restoreSnapshot } from './restore.ts';
import type { RestoreOptions, RestoreResult } from './restore-request.ts';
import type { RestorePatterns } from './restore-selection.ts';

/** A restore never leaves its target: with trees that somebody made to harm, and targets that change meanwhile. */
let place: TemporaryDirectory;
let target: string;
let outside: string;
let blobs: Hooked;

/** Does something to the target when a certain blob is read. */
class Hooked extends MemoryBlobs {
  hook: { readonly id: string; readonly run: () => void } | undefined;

  override async readBlob(...asked: Parameters<MemoryBlobs['readBlob']>): Promise<Uint8Array> {
    if (asked[1] === this.hook?.id) this.hook.run();
    return await super.readBlob(...asked);
  }
}

beforeEach(async () => {
  place = await temporaryDirectory();
  [target, outside] = [join(place.path, 'target'), join(place.path, 'outside')];
  for (const directory of [target, outside]) mkdirSync(directory);
  writeFileSync(join(outside, 'secret'), 'untouched');
  blobs = new Hooked();
});

afterEach(async () => {
  expect(readdirSync(outside)).toEqual(['secret']);
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('untouched');
  expect(lstatSync(join(outside, 'secret')).nlink).toBe(1);
  expect(existsSync(join(place.path, 'escaped'))).toBe(false);
  await place[Symbol.asyncDispose]();
});

const name = (text: string): string => `"name":${JSON.stringify(text)}`;
const link = (at: string, to: string): string =>
  `{${name(at)},"type":"symlink","mode":134218239,"linktarget":${JSON.stringify(to)}}`;
const treeOf = (...nodes: string[]): TreeId => blobs.addTree(`{"nodes":[${nodes.join(',')}]}`);
const dir = (at: string, subtree: TreeId): string =>
  `{${name(at)},"type":"dir","mode":2147484141,"subtree":"${subtree}"}`;

function file(at: string, content: string, more = ''): string {
  const { id } = blobs.add('data', Buffer.from(content));
  return `{${name(at)},"type":"file","mode":420,"size":${content.length}${more},"content":["${id}"]}`;
}

async function restore(
  treeId: TreeId,
  { patterns, ...options }: RestoreOptions & { readonly patterns?: RestorePatterns } = {},
): Promise<RestoreResult> {
  return await restoreSnapshot({ blobs, treeId, targetDirectory: target, patterns, options });
}

const hostileNames = ['.', '..', 'a/b', '/etc', '../escaped', '..\\\\x00', '\\\\x00', 'a\\\\x00b'];

it.each(hostileNames.flatMap((hostile) => [[hostile, 0] as const, [hostile, 1] as const]))(
  'the name %j is refused, %d directories deep, whether it is selected or not',
  async (hostile, depth) => {
    const text = hostile.replaceAll('\\\\', '\\');
    const bad = treeOf(file(text, 'x'));
    const treeId = depth === 0 ? bad : treeOf(dir('below', bad));
    for (const options of [{}, { deleteExtraneous: true }, { dryRun: true }]) {
      await expect(restore(treeId, options)).rejects.toMatchObject({ code: 'target-unsafe' });
    }
    const patterns = { includes: ['another'] };
    await expect(restore(treeId, { patterns })).rejects.toMatchObject({ code: 'target-unsafe' });
    expect(readdirSync(target, { recursive: true })).toEqual(depth === 0 ? [] : ['below']);
  },
);

it('a tree with an empty name, or one name twice, is damaged', async () => {
  for (const bad of [treeOf(file('', 'x')), treeOf(link('way', outside), file('way', 'x'))]) {
    await expect(restore(bad)).rejects.toMatchObject({ code: 'repository-damaged' });
    expect(await restore(treeOf(dir('below', bad)))).toMatchObject({ failureCount: 1 });
    expect(readdirSync(join(target, 'below'))).toEqual([]);
  }
});

it.each<RestoreOptions>([{}, { deleteExtraneous: true }, { overwrite: 'never' }, { overwrite: 'if-newer' }])(
  'a link from one snapshot, and a directory of the same name from the next, lead nowhere (%j)',
  async (options) => {
    const below = treeOf(file('new', 'x'), file('secret', 'overwritten'));
    await restore(treeOf(link('way', '../outside')), options);
    expect(readlinkSync(join(target, 'way'))).toBe('../outside');
    await restore(treeOf(dir('way', below)), { ...options, dryRun: true });
    const { failures } = await restore(treeOf(dir('way', below)), options);
    expect(failures).toHaveLength(options.overwrite === 'never' ? 1 : 0);
    expect(lstatSync(join(target, 'way')).isDirectory()).toBe(options.overwrite !== 'never');
  },
);

it('a link in place of an unselected directory above is replaced, not followed', async () => {
  symlinkSync(outside, join(target, 'above'));
  const treeId = treeOf(dir('above', treeOf(file('secret', 'from the snapshot'))));
  const patterns = { includes: ['secret'] };
  await restore(treeId, { patterns, dryRun: true });
  expect(readlinkSync(join(target, 'above'))).toBe(outside);
  await restore(treeId, { patterns, deleteExtraneous: true });
  expect(readFileSync(join(target, 'above', 'secret'), 'utf8')).toBe('from the snapshot');
});

it('a hard link is not made through a directory that became a link', async () => {
  const linked = ',"inode":7,"device_id":1,"links":2';
  const later = treeOf(file('secret', 'from the snapshot', linked));
  const treeId = treeOf(dir('a', treeOf(file('secret', 'from the snapshot', linked))), dir('b', later));
  blobs.hook = {
    id: later,
    run: () => {
      if (!existsSync(join(target, 'a'))) return;
      renameSync(join(target, 'a'), join(place.path, 'moved'));
      symlinkSync(outside, join(target, 'a'));
    },
  };
  const { warnings } = await restore(treeId);
  expect(readFileSync(join(target, 'b', 'secret'), 'utf8')).toBe('from the snapshot');
  expect(warnings.length).toBeLessThanOrEqual(1);
});

it('a link that is planted while a file is fetched is replaced, not written through', async () => {
  const content = 'from the snapshot';
  const { id } = blobs.add('data', Buffer.from(content));
  blobs.hook = { id, run: () => symlinkSync(join(outside, 'secret'), join(target, 'file')) };
  await restore(treeOf(file('file', content)));
  expect(lstatSync(join(target, 'file')).isFile()).toBe(true);
  expect(readFileSync(join(target, 'file'), 'utf8')).toBe(content);
});

it('a pipe or a device in the way is replaced, not opened', async () => {
  execFileSync('mkfifo', [join(target, 'file'), join(target, 'same')]);
  const treeId = treeOf(file('file', 'content'), '{"name":"same","type":"fifo","mode":33554852}');
  for (const options of [{ dryRun: true }, {}]) {
    expect(await restore(treeId, options)).toMatchObject({ warnings: [], failures: [] });
  }
  expect(readFileSync(join(target, 'file'), 'utf8')).toBe('content');
  expect(lstatSync(join(target, 'same')).isFIFO()).toBe(true);
});
