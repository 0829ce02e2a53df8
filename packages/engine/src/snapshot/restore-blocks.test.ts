import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { minChunkBytes } from '../chunker/chunk-window.ts';
import { randomPolynomial } from '../chunker/polynomial.ts';
import { toByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { backupSources } from './backup.ts';
import { restoreNode } from './restore.ts';
import type { RestoreOptions, RestoreResult } from './restore-request.ts';
import { findNode } from './tree-reader.ts';

const contents = testBytes('blocks', 24 * minChunkBytes);

let place: TemporaryDirectory;
let target: string;
let blobs: MemoryBlobs;
let treeId: TreeId;
let chunks: number;

beforeEach(async () => {
  place = await temporaryDirectory();
  const source = join(place.path, 'source');
  target = join(place.path, 'target');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), contents);
  blobs = new MemoryBlobs();
  const sources = [{ path: source, treePath: ['data'] as const }];
  treeId = (await backupSources({ writer: blobs, blobs, polynomial: randomPolynomial(), sources })).treeId;
  const node = await findNode(blobs, treeId, [toByteString('data'), toByteString('file')]);
  chunks = node.content?.length ?? 0;
  expect(chunks).toBeGreaterThan(3);
  mkdirSync(target);
  writeFileSync(join(target, 'file'), contents);
});

afterEach(() => place[Symbol.asyncDispose]());

async function restore(options: RestoreOptions = {}): Promise<RestoreResult> {
  blobs.reads.clear();
  const result = await restoreNode({ blobs, treeId, nodePath: ['data'], targetPath: target, options });
  expect(result).toMatchObject({ warnings: [], failures: [] });
  expect(readFileSync(join(target, 'file')).equals(contents)).toBe(true);
  return result;
}

/** How many chunks of the file the last restore read from the repository. */
function chunksFetched(): number {
  return [...blobs.reads].reduce((sum, [id, count]) => sum + (blobs.hasBlob('data', id) ? count : 0), 0);
}

describe('of a file that is there already, only the chunks that differ are read from the repository', () => {
  it.each<RestoreOptions>([{}, { sparse: true }, { overwrite: 'if-newer' }])('%j', async (options) => {
    const file = openSync(join(target, 'file'), 'r+');
    writeSync(file, 'another', contents.length - 10);
    closeSync(file);
    utimesSync(join(target, 'file'), 1, 1);
    await restore(options);
    expect(chunksFetched()).toBe(1);
  });

  it('when it is shorter, or longer', async () => {
    truncateSync(join(target, 'file'), contents.length - 1);
    await restore();
    expect(chunksFetched()).toBe(1);
    truncateSync(join(target, 'file'), contents.length + 1);
    await restore({ verify: true });
    expect(chunksFetched()).toBe(0);
  });

  it('when it has another name, which keeps what it had', async () => {
    linkSync(join(target, 'file'), join(place.path, 'other'));
    await restore();
    expect(chunksFetched()).toBe(0);
    expect(statSync(join(place.path, 'other')).ino).not.toBe(statSync(join(target, 'file')).ino);
  });

  it('and all of them when none is the same', async () => {
    writeFileSync(join(target, 'file'), 'short');
    await restore();
    expect(chunksFetched()).toBe(chunks);
  });
});
