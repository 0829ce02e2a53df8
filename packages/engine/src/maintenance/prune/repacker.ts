import { randomInt } from 'node:crypto';
import { HoldfastError, throwIfAborted } from '@holdfast/base';
import type { Backend } from '../../backend/backend.ts';
import { compress } from '../../crypto/compression.ts';
import type { MasterKey } from '../../crypto/master-key.ts';
import { seal } from '../../crypto/seal.ts';
import type { BlobType } from '../../format/blob-type.ts';
import type { BlobId, PackId } from '../../format/ids.ts';
import type { PackedBlob } from '../../format/pack-header.ts';
import { type BlobRange, rangesOf } from '../../pack/blob-ranges.ts';
import { blobSealerOf, type SealedBlob, sealBlob } from '../../pack/blob-seal.ts';
import { mergeOpen, PackBuilder } from '../../pack/pack-builder.ts';
import { SlabPool } from '../../pack/slab-pool.ts';
import type { BlobReader } from '../../repository/blob-store.ts';
import type { IndexWriter } from './index-writer.ts';

const packsAtOnce = 3;
const maxUploads = 2;
/** None much larger than a usual pack. */
const rangeLimits = { gapBytes: 512 * 1024, bytes: 20 * 1024 * 1024 };

export interface PackToRepack {
  readonly id: PackId;
  /** What to keep of it, in the order of the offsets. */
  readonly blobs: readonly PackedBlob[];
  readonly mustCompress: boolean;
}

export interface RepackerParts {
  readonly backend: Backend;
  readonly key: MasterKey;
  /** Finds other copies of a blob whose copy in the pack is damaged. */
  readonly blobs: BlobReader;
  readonly indexWriter: IndexWriter;
  readonly signal: AbortSignal;
}

export interface RepackResult {
  readonly packsWritten: number;
  readonly bytesWritten: number;
}

/**
 * Copies blobs into new packs. Each is opened and proven on the way; its sealed bytes are then taken over as they are.
 * Data goes by chance into one of two open packs, as a backup writes it, so that sizes of packs tell nothing.
 */
export class Repacker {
  readonly #parts: RepackerParts;
  readonly #slabs = new SlabPool();
  readonly #open: Readonly<Record<BlobType, PackBuilder[]>> = {
    data: [new PackBuilder('data', this.#slabs), new PackBuilder('data', this.#slabs)],
    tree: [new PackBuilder('tree', this.#slabs)],
  };
  readonly #uploads = new Set<Promise<void>>();
  #packsWritten = 0;
  #bytesWritten = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: RepackerParts) {
    this.#parts = parts;
  }

  /**
   * When it resolves, every blob is in a new pack on stable storage, which the index writer knows.
   * @throws HoldfastError `blob-damaged` when no copy of a blob is sound
   */
  async run(packs: Iterable<PackToRepack>, onPack: () => void): Promise<RepackResult> {
    const waiting = packs[Symbol.iterator]();
    await Promise.all(Array.from({ length: packsAtOnce }, () => this.#work(waiting, onPack)));
    for (const builder of [...mergeOpen(this.#open.data), ...mergeOpen(this.#open.tree)]) {
      await this.#upload(builder);
    }
    await Promise.all(this.#uploads);
    if (this.#failure !== undefined) throw this.#failure.error;
    return { packsWritten: this.#packsWritten, bytesWritten: this.#bytesWritten };
  }

  /** Takes pack after pack until there are none, or until something failed anywhere. Never rejects. */
  async #work(waiting: Iterator<PackToRepack>, onPack: () => void): Promise<void> {
    try {
      while (this.#failure === undefined) {
        const { done, value: pack } = waiting.next();
        if (done) return;
        for (const range of rangesOf(pack.blobs, rangeLimits)) await this.#copyRange(pack, range);
        onPack();
      }
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  async #copyRange(pack: PackToRepack, range: BlobRange<PackedBlob>): Promise<void> {
    const { backend, signal } = this.#parts;
    if (this.#failure !== undefined) return;
    throwIfAborted(signal);
    const isMetadata = range.blobs.every(({ type }) => type === 'tree');
    const bytes = await backend.loadRange({ kind: 'data', id: pack.id }, range, { isMetadata, signal });
    for (const blob of range.blobs) {
      const from = blob.offset - range.offset;
      const sealed = bytes?.subarray(from, from + blob.length) ?? Buffer.alloc(0);
      await this.#append(blob, await this.#proven(blob, sealed, pack.mustCompress));
    }
  }

  async #proven(blob: PackedBlob, sealed: Buffer, mustCompress: boolean): Promise<SealedBlob> {
    const { key, blobs, signal } = this.#parts;
    const { id, type, uncompressedLength } = blob;
    const plaintext = blobSealerOf(key).open(id, { sealed, uncompressedLength });
    if (plaintext === undefined) {
      return sealBlob(key, id, Buffer.from(await blobs.readBlob(type, id, { signal })));
    }
    if (mustCompress && uncompressedLength === undefined && plaintext.length > 0) {
      return compressedBlob(key, id, plaintext);
    }
    return { sealed, uncompressedLength };
  }

  async #append({ type, id }: PackedBlob, blob: SealedBlob): Promise<void> {
    while (this.#uploads.size >= maxUploads) await Promise.race(this.#uploads);
    if (this.#failure !== undefined) return;
    const open = this.#open[type];
    const slot = randomInt(open.length);
    const builder = open[slot] ?? new PackBuilder(type, this.#slabs);
    builder.append(id, blob);
    if (!builder.isFull) return;
    open[slot] = new PackBuilder(type, this.#slabs);
    await this.#upload(builder);
  }

  /** Starts to write the pack. Its failure stops all the rest. */
  async #upload(builder: PackBuilder): Promise<void> {
    while (this.#uploads.size >= maxUploads) await Promise.race(this.#uploads);
    if (this.#failure !== undefined) return;
    const upload: Promise<void> = this.#write(builder)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#uploads.delete(upload));
    this.#uploads.add(upload);
  }

  async #write(builder: PackBuilder): Promise<void> {
    const { backend, key, indexWriter, signal } = this.#parts;
    const { id, parts, blobs, release } = await builder.finish(key);
    await backend.save({ kind: 'data', id }, parts, { isMetadata: builder.type === 'tree', signal });
    this.#packsWritten += 1;
    this.#bytesWritten += parts.reduce((total, part) => total + part.length, 0);
    release();
    await indexWriter.add({ id, blobs }, { signal });
  }
}

/** Also where that makes it larger: else the next prune would try the same again. */
function compressedBlob(key: MasterKey, id: BlobId, plaintext: Uint8Array): SealedBlob {
  const blob = { sealed: seal(key, compress(plaintext)), uncompressedLength: plaintext.length };
  if (blobSealerOf(key).open(id, blob) !== undefined) return blob;
  throw new HoldfastError('internal', 'A blob did not survive being compressed: nothing of it was written.', {
    hint: 'This machine computes or remembers wrongly. Test its memory.',
    context: { blobId: id },
  });
}
