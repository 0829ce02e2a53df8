import { randomInt } from 'node:crypto';
import { type Abortable, type Clock, throwIfAborted } from '@holdfast/base';
import type { Backend } from '../backend/backend.ts';
import { sha256 } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId } from '../format/ids.ts';
import { sealBlob } from '../pack/blob-seal.ts';
import { PackBuilder, targetPackBytes } from '../pack/pack-builder.ts';
import type { BlobType, BlobWriter, SavedBlob } from './blob-store.ts';
import type { IndexStore } from './index-store.ts';
import type { RepositoryLock } from './repository-lock.ts';

const maxUploads = 2;

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
  /** Blobs in packs that are not on storage yet. */
  readonly #pending: Readonly<Record<BlobType, Set<BlobId>>> = { data: new Set(), tree: new Set() };
  readonly #uploads = new Set<Promise<void>>();
  #indexedAtMs: number;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: PackWriterParts) {
    this.#parts = parts;
    this.#signal = AbortSignal.any(parts.signal ? [parts.signal, parts.lock.signal] : [parts.lock.signal]);
    this.#open = {
      data: [new PackBuilder('data'), new PackBuilder('data')],
      tree: [new PackBuilder('tree')],
    };
    this.#indexedAtMs = parts.clock.elapsed();
  }

  async saveBlob(type: BlobType, plaintext: Uint8Array, { signal }: Abortable = {}): Promise<SavedBlob> {
    while (this.#uploads.size >= maxUploads) await Promise.race(this.#uploads);
    this.#assertUsable(signal);
    // No await from here on: whoever saves an equal blob next finds it among the pending ones.
    const id = asId<BlobId>(sha256(plaintext));
    if (this.#pending[type].has(id) || this.#parts.indexes.current.has(type, id)) {
      return { id, isNew: false, storedBytes: 0 };
    }
    const slot = randomInt(this.#open[type].length);
    const builder = this.#open[type][slot] ?? new PackBuilder(type);
    const storedBytes = builder.append(id, sealBlob(this.#parts.key, id, plaintext));
    this.#pending[type].add(id);
    if (builder.isFull) {
      this.#open[type][slot] = new PackBuilder(type);
      this.#startUpload(builder);
    }
    return { id, isNew: true, storedBytes };
  }

  async flush({ signal }: Abortable = {}): Promise<void> {
    this.#assertUsable(signal);
    for (const builder of [...this.#takeOpen('data'), ...this.#takeOpen('tree')]) this.#startUpload(builder);
    await Promise.all(this.#uploads);
    this.#assertUsable(signal);
    try {
      await this.#writeIndex({ signal: this.#signal });
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  /** What was not flushed is dropped; but packs on storage get into an index, so that the next backup finds them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#uploads);
    try {
      await this.#writeIndex();
    } catch {
      // Nothing was promised of these packs: without an index they are debris, which check reports and prune removes.
    }
  }

  #assertUsable(signal: AbortSignal | undefined): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    throwIfAborted(signal);
    throwIfAborted(this.#signal);
  }

  /** The open packs that hold something, as few as possible; empty ones take their place. */
  #takeOpen(type: BlobType): PackBuilder[] {
    const taken = this.#open[type].filter((builder) => !builder.isEmpty);
    this.#open[type].forEach((_, slot, open) => {
      open[slot] = new PackBuilder(type);
    });
    const [first, ...others] = taken;
    const contentBytes = taken.reduce((total, builder) => total + builder.contentBytes, 0);
    if (first === undefined || contentBytes > targetPackBytes) return taken;
    for (const other of others) first.absorb(other);
    return [first];
  }

  /** Never rejects: a failure is kept for the calls that follow. */
  #startUpload(builder: PackBuilder): void {
    const upload: Promise<void> = this.#upload(builder)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#uploads.delete(upload));
    this.#uploads.add(upload);
  }

  async #upload(builder: PackBuilder): Promise<void> {
    const { backend, key, indexes, lock, clock } = this.#parts;
    const { id, parts, blobs } = builder.finish(key);
    await backend.save({ kind: 'data', id }, parts, { signal: this.#signal });
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
