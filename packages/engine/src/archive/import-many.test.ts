import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { SavedBlob } from '../repository/blob-store.ts';
import { testPolynomial } from '../testing/import-bytes.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { tarEndBytes, tarMember } from '../testing/tar-bytes.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { defaultArchiveLimits } from './archive-limits.ts';
import { importArchive } from './import-archive.ts';

const folders = 600;
const filesPerFolder = 500;
const mebi = 1024 * 1024;

/** Keeps ids and no bytes. */
class ForgetfulBlobs extends MemoryBlobs {
  override async saveBlob(...[type, plaintext]: Parameters<MemoryBlobs['saveBlob']>): Promise<SavedBlob> {
    const saved = await super.saveBlob(type, plaintext);
    this.remove(type, saved.id);
    return saved;
  }
}

function* manyMembers(): Generator<Buffer, void> {
  for (let folder = 0; folder < folders; folder += 1) {
    const members = Array.from({ length: filesPerFolder }, (_, at) => ({
      ...{ path: `folder-${folder}/a-file-with-a-name-${at}`, content: at % 2 === 0 ? '' : 'x' },
    }));
    yield Buffer.concat(members.map(tarMember));
  }
  yield tarEndBytes;
}

describe('300,000 files', () => {
  it('are imported with little memory', async () => {
    await using work = await temporaryDirectory();
    const path = join(work.path, 'archive');
    await pipeline(Readable.from(manyMembers()), createZstdCompress(), createWriteStream(path));
    const before = process.memoryUsage();
    let most = 0;
    let reports = 0;
    const progress = {
      report: (): void => {
        reports += 1;
        if (reports % 1000 !== 0) return;
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        most = Math.max(most, heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers);
      },
    };
    const request = { path, writer: new ForgetfulBlobs(), polynomial: testPolynomial, progress };
    await using archive = await importArchive({ ...request, limits: defaultArchiveLimits });
    expect((await archive.saveTree('')).files).toBe(folders * filesPerFolder);
    // 200 bytes an entry, what is under way, and what no collector came for yet.
    expect(most).toBeLessThan(200 * folders * filesPerFolder + 150 * mebi);
  }, 120_000);
});
