import { randomInt } from 'node:crypto';
import { type Abortable, type Clock, throwIfAborted } from '@holdfast/base';
import type { Backend } from '../backend/backend.ts';
import { sha256 } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId } from '../format/ids.ts';
import type { SealedBlob } from '../pack/blob-seal.ts';
import { mergeOpen, PackBuilder, targetPackBytes } from '../pack/pack-builder.ts';
import { SlabPool } from '../pack/slab-pool.ts';
import { BlobSealing, type HashedBlob } from '../workers/blob-sealing.ts';
import { WeightedLimiter } from '../workers/weighted-limiter.ts';
import type { BlobType, BlobWriter, SavedBlob } from './blob-store.ts';
import type { IndexStore } from './index-store.ts';
import type { RepositoryLock } from './repository-lock.ts';

/** Of blobs on their way into packs, and packs on their way to storage. */
const mostBytesUnderWay = 3 * targetPackBytes;

/** What is smaller is hashed faster than it is sent to another thread. */
const leastHashedElsewhereBytes = 64 * 1024;

/** After this much time an index is written even if it is small, so that a cut backup need not begin anew. */
const maxIndexAgeMs = 10 * 60_000;

export interface PackWriterParts {
  readonly backend: Backend;
  readonly key: MasterKey;
  readonly indexes: IndexStore;
  readonly lock: RepositoryLock;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Seals blobs into packs. Data blobs go by chance into one of two open packs, as restic does it: so a pack's size
 * does not tell the sizes of a known file's chunks, from which the chunker's polynomial could be worked out.
 *
 * After the first failure every call rejects with it: an index or a snapshot could otherwise name what is not there.
 */
export class PackWriter implements BlobWriter {
  readonly #parts: PackWriterParts;
  readonly #signal: AbortSignal;
  readonly #open: Readonly<Record<BlobType, PackBuilder[]>>;
  readonly #sealing: BlobSealing;
  readonly #slabs = new SlabPool();
  readonly #room = new WeightedLimiter(mostBytesUnderWay);
  /** Blobs that are being sealed, or in packs that are not on storage yet. */
  readonly #pending: Readonly<Record<BlobType, Set<BlobId>>> = { data: new Set(), tree: new Set() };
  readonly #uploads = new Set<Promise<void>>();
  #indexedAtMs: number;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: PackWriterParts) {
    this.#parts = parts;
    this.#sealing = new BlobSealing(parts.key);
    this.#signal = AbortSignal.any(parts.signal ? [parts.signal, parts.lock.signal] : [parts.lock.signal]);
    this.#open = {
      data: [this.#newBuilder('data'), this.#newBuilder('data')],
      tree: [this.#newBuilder('tree')],
    };
    this.#indexedAtMs = parts.clock.elapsed();
  }

  async saveBlob(type: BlobType, plaintext: Uint8Array, { signal }: Abortable = {}): Promise<SavedBlob> {
    return await this.#inRoomFor(plaintext.length, { signal }, async () => {
      if (plaintext.length >= leastHashedElsewhereBytes) {
        return await this.#saveHashed(type, await this.#sealing.hashBytes(plaintext));
      }
      const id = asId<BlobId>(sha256(plaintext));
      if (!this.#claim(type, id)) return { id, isNew: false, sizeBytes: plaintext.length, storedBytes: 0 };
      const sealing = this.#sealing.seal({ id, plaintext }, (sealed) => this.#append(type, id, sealed));
      const storedBytes = await this.#keepingFailure(sealing);
      return { id, isNew: true, sizeBytes: plaintext.length, storedBytes };
    });
  }

  async saveFile(
    file: number,
    sizeBytes: number,
    { signal }: Abortable = {},
  ): Promise<SavedBlob | undefined> {
    return await this.#inRoomFor(sizeBytes, { signal }, async () => {
      const hashed = await this.#sealing.hashFile(file, sizeBytes);
      if (hashed.sizeBytes > 0) return await this.#saveHashed('data', hashed);
      hashed.drop();
      return undefined;
    });
  }

  async flush({ signal }: Abortable = {}): Promise<void> {
    this.#assertUsable(signal);
    for (const builder of [...this.#takeOpen('data'), ...this.#takeOpen('tree')]) this.#startUpload(builder);
    await Promise.all(this.#uploads);
    this.#assertUsable(signal);
    await this.#keepingFailure(this.#writeIndex({ signal: this.#signal }));
  }

  /** What was not flushed is dropped; but packs on storage get into an index, so that the next backup finds them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sealing[Symbol.asyncDispose]();
    await Promise.all(this.#uploads);
    try {
      await this.#writeIndex();
    } catch {
      // Nothing was promised of these packs: without an index they are debris, which check reports and prune removes.
    }
  }

  /** Waits while too much is under way. Packs that are not full yet do not count: nobody waits for them. */
  async #inRoomFor<Saved extends SavedBlob | undefined>(
    sizeBytes: number,
    { signal }: Abortable,
    save: () => Promise<Saved>,
  ): Promise<Saved> {
    await this.#room.acquire(sizeBytes, { signal });
    try {
      this.#assertUsable(signal);
      return await save();
    } finally {
      this.#room.release(sizeBytes);
    }
  }

  async #saveHashed(type: BlobType, hashed: HashedBlob): Promise<SavedBlob> {
    const { id, sizeBytes } = hashed;
    if (this.#claim(type, id)) {
      const sealing = hashed.seal((sealed) => this.#append(type, id, sealed));
      return { id, isNew: true, sizeBytes, storedBytes: await this.#keepingFailure(sealing) };
    }
    hashed.drop();
    return { id, isNew: false, sizeBytes, storedBytes: 0 };
  }

  /** True for one caller of all that save equal blobs: it has to append it. */
  #claim(type: BlobType, id: BlobId): boolean {
    if (this.#pending[type].has(id) || this.#parts.indexes.current.has(type, id)) return false;
    this.#pending[type].add(id);
    return true;
  }

  /** Copies the blob into a pack; returns the bytes that it takes there. */
  #append(type: BlobType, id: BlobId, sealed: SealedBlob): number {
    const slot = randomInt(this.#open[type].length);
    const builder = this.#open[type][slot] ?? this.#newBuilder(type);
    const storedBytes = builder.append(id, sealed);
    if (builder.isFull) {
      this.#open[type][slot] = this.#newBuilder(type);
      this.#startUpload(builder);
    }
    return storedBytes;
  }

  #newBuilder(type: BlobType): PackBuilder {
    return new PackBuilder(type, this.#slabs);
  }

  async #keepingFailure<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  #assertUsable(signal: AbortSignal | undefined): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    throwIfAborted(signal);
    throwIfAborted(this.#signal);
  }

  /** What is in open packs; empty ones take their place. */
  #takeOpen(type: BlobType): readonly PackBuilder[] {
    const taken = [...this.#open[type]];
    for (const slot of taken.keys()) this.#open[type][slot] = this.#newBuilder(type);
    return mergeOpen(taken);
  }

  /** Never rejects: a failure is kept for the calls that follow. */
  #startUpload(builder: PackBuilder): void {
    const { contentBytes } = builder;
    this.#room.add(contentBytes);
    const upload: Promise<void> = this.#upload(builder)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#uploads.delete(upload);
        this.#room.release(contentBytes);
      });
    this.#uploads.add(upload);
  }

  async #upload(builder: PackBuilder): Promise<void> {
    const { backend, key, indexes, lock, clock } = this.#parts;
    const { id, parts, blobs, release } = await builder.finish(key, (all) => this.#sealing.hashParts(all));
    await backend.save({ kind: 'data', id }, parts, {
      isMetadata: builder.type === 'tree',
      signal: this.#signal,
    });
    release();
    indexes.add({ id, blobs }, lock);
    for (const blob of blobs) this.#pending[blob.type].delete(blob.id);
    if (indexes.isWriteDue || clock.elapsed() - this.#indexedAtMs >= maxIndexAgeMs) {
      await this.#writeIndex({ signal: this.#signal });
    }
  }

  async #writeIndex(options: Abortable = {}): Promise<void> {
    this.#indexedAtMs = this.#parts.clock.elapsed();
    await this.#parts.indexes.write(this.#parts.lock, options);
  }
}
