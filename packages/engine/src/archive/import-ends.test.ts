import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { HoldfastError } from '@holdfast/base';
import { describe, expect, it } from 'vitest';
import type { SavedBlob } from '../repository/blob-store.ts';
import { testPolynomial } from '../testing/import-bytes.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { tarOf } from '../testing/tar-bytes.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { testRepository } from '../testing/test-repository.ts';
import { zipOf } from '../testing/zip-bytes.ts';
import { defaultArchiveLimits } from './archive-limits.ts';
import { importArchive } from './import-archive.ts';

const contents = Array.from({ length: 40 }, (_, at) => testBytes(`${at}`, at % 4 === 0 ? 900_000 : 10_000));
const archives: [string, Buffer][] = [
  ['tar', gzipSync(tarOf(...contents.map((content, at) => ({ path: `file-${at}`, content }))))],
  ['zip', zipOf(contents.map((content, at) => ({ name: `file-${at}`, content })))],
];
const common = { polynomial: testPolynomial, limits: defaultArchiveLimits };

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

describe.each(archives)('an import of a %s archive', (_, bytes) => {
  it('ends with what the repository throws, and leaves nothing open', async () => {
    await using work = await temporaryDirectory();
    const path = join(work.path, 'archive');
    writeFileSync(path, bytes);
    const full = new HoldfastError('storage-full', 'There is no room.');
    class FullBlobs extends MemoryBlobs {
      #saved = 0;
      override async saveBlob(...blob: Parameters<MemoryBlobs['saveBlob']>): Promise<SavedBlob> {
        this.#saved += 1;
        if (this.#saved > 12) throw full;
        return await super.saveBlob(...blob);
      }
    }
    const before = openFiles();
    await expect(importArchive({ ...common, path, writer: new FullBlobs() })).rejects.toBe(full);
    await expect.poll(openFiles).toBe(before);
  });

  it('ends when it is interrupted, and leaves nothing open', async () => {
    await using work = await temporaryDirectory();
    const path = join(work.path, 'archive');
    writeFileSync(path, bytes);
    const controller = new AbortController();
    const before = openFiles();
    const { signal } = controller;
    const progress = { report: () => controller.abort() };
    const importing = importArchive({ ...common, path, writer: new MemoryBlobs(), signal, progress });
    await expect(importing).rejects.toMatchObject({ code: 'interrupted' });
    await expect.poll(openFiles).toBe(before);
  });

  it('makes a tree that a repository proves', async () => {
    await using work = await temporaryDirectory();
    const path = join(work.path, 'archive');
    writeFileSync(path, bytes);
    await using place = await testRepository({ locksAtOnce: true });
    const { repository } = place;
    await using lock = await repository.lock('shared');
    await using writer = await repository.openWriter({ lock });
    const { polynomial } = repository;
    await using archive = await importArchive({ ...common, polynomial, path, writer, directory: work.path });
    const { treeId, files } = await archive.saveTree('');
    await writer.flush();
    await repository.refreshIndex({});
    expect(await repository.blobs.readBlob('tree', treeId)).toBeDefined();
    expect(files).toBe(contents.length);
    expect(readdirSync(work.path)).toEqual(['archive']);
  });
});
