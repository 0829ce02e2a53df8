import { createHash } from 'node:crypto';
import { HoldfastError } from '@holdfast/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend, ByteRange, FileName } from '../backend/backend.ts';
import { asId } from '../format/id-codec.ts';
import type { PackId } from '../format/ids.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { PackPages } from './pack-pages.ts';

const idOf = (name: string): PackId => asId<PackId>(createHash('sha256').update(name).digest('hex'));
const packs = new Map([
  [idOf('long'), testBytes('long', 3_000_001)],
  [idOf('short'), testBytes('short', 700)],
]);

/** A place where packs can be read, which fails as often as it is told to. */
class CountedReads {
  failures = 0;
  reads = 0;

  readonly backend = {
    loadRange: async (file: FileName, { offset, length }: ByteRange): Promise<Buffer | undefined> => {
      this.reads += 1;
      await Promise.resolve();
      if (this.failures > 0) {
        this.failures -= 1;
        throw new HoldfastError('storage-unreachable', 'It does not answer.');
      }
      return file.kind === 'config'
        ? undefined
        : packs.get(file.id as PackId)?.subarray(offset, offset + length);
    },
  } as Partial<Backend> as Backend;
}

describe('PackPages', () => {
  it('reads what is there, wherever it lies', async () => {
    const { backend } = new CountedReads();
    const pages = new PackPages(backend);
    const part = fc.record({
      name: fc.constantFrom('long', 'short', 'none'),
      offset: fc.nat(3_100_000),
      length: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 1_500_000 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 10 }), async (parts) => {
        const read = await Promise.all(parts.map(({ name, ...range }) => pages.read(idOf(name), range, {})));
        for (const [at, { name, offset, length }] of parts.entries()) {
          const expected = packs.get(idOf(name))?.subarray(offset, offset + length);
          expect(Buffer.compare(read[at] ?? Buffer.alloc(0), expected ?? Buffer.alloc(0))).toBe(0);
        }
      }),
    );
  });

  it('reads neighbours once', async () => {
    const counted = new CountedReads();
    const pages = new PackPages(counted.backend);
    const offsets = Array.from({ length: 100 }, (_, number) => number * 1000);
    await Promise.all(offsets.map((offset) => pages.read(idOf('long'), { offset, length: 1000 }, {})));
    expect(counted.reads).toBe(1);
  });

  it('does not keep a failure', async () => {
    const counted = new CountedReads();
    const pages = new PackPages(counted.backend);
    const range = { offset: 0, length: 10 };
    counted.failures = 1;
    await expect(pages.read(idOf('short'), range, {})).rejects.toMatchObject({ code: 'storage-unreachable' });
    expect(await pages.read(idOf('short'), range, {})).toHaveLength(10);
  });

  it('reads itself what another was interrupted in', async () => {
    const counted = new CountedReads();
    const pages = new PackPages(counted.backend);
    const range = { offset: 0, length: 10 };
    counted.failures = 1;
    const [first, second] = await Promise.allSettled([
      pages.read(idOf('short'), range, {}),
      pages.read(idOf('short'), range, {}),
    ]);
    expect(first.status).toBe('rejected');
    expect(second.status).toBe('fulfilled');
  });
});
