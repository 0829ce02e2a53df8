import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../crypto/hash.ts';
import { randomMasterKey } from '../../crypto/master-key.ts';
import { seal } from '../../crypto/seal.ts';
import { asId } from '../../format/id-codec.ts';
import type { BlobId, SnapshotId } from '../../format/ids.ts';
import { openBlob } from '../../pack/blob-seal.ts';
import { type TestRepository, testRepository } from '../test-repository.ts';
import { runChunkerFuzz } from './chunker-target.ts';
import { runFuzz } from './fuzz-run.ts';
import { fuzzTargets } from './fuzz-targets.ts';
import { genuineFileTargets } from './genuine-files.ts';
import { zstdBomb } from './zstd-bomb.ts';

const seed = Number(process.env.HOLDFAST_TEST_SEED ?? 2026);
const gibi = 2 ** 30;

describe(`any bytes, and valid ones after changes, give a coded error or a valid result: seed ${seed}`, () => {
  it.each(fuzzTargets)('$name', async (target) => {
    expect((await runFuzz(target, { seed, runs: 300 })).failure).toBeUndefined();
  });

  it('chunker', async () => {
    expect((await runChunkerFuzz({ seed, runs: 4 })).failure).toBeUndefined();
  });
});

describe(`anything in files that are genuine: seed ${seed}`, () => {
  let place: TestRepository;
  beforeAll(async () => {
    place = await testRepository({ locksAtOnce: true });
  });
  afterAll(async () => await place[Symbol.asyncDispose]());

  it.each(['snapshot', 'index', 'lock'])('%s', async (kind) => {
    const target = genuineFileTargets(place).find(({ name }) => name.includes(kind));
    if (target === undefined) throw new Error('There is no such target.');
    expect((await runFuzz(target, { seed, runs: 15 })).failure).toBeUndefined();
  });
});

describe('a few kilobytes that unpack to 4 GiB', () => {
  it('are no blob, and take no more memory than the blob would', () => {
    const key = randomMasterKey();
    const before = process.resourceUsage().maxRSS;
    const sealed = seal(key, zstdBomb(4 * gibi));
    const id = asId<BlobId>('a'.repeat(64));
    expect(openBlob(key, id, { sealed, uncompressedLength: 1_000_000 })).toBeUndefined();
    expect((process.resourceUsage().maxRSS - before) * 1024).toBeLessThan(gibi / 8);
  });

  it('are a damaged snapshot', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const { backend, key } = place.repository.storage;
    const file = seal(key, Buffer.concat([Buffer.of(2), zstdBomb(4 * gibi)]));
    const id = asId<SnapshotId>(sha256(file));
    await backend.save({ kind: 'snapshot', id }, [file]);
    const { damaged } = await place.repository.snapshots.list();
    expect(damaged).toEqual([{ id, error: expect.objectContaining({ code: 'repository-damaged' }) }]);
  });
});
