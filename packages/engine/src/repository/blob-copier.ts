import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { Backend } from '../backend/backend.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import type { MetadataFailure, NewFile } from '../filesystem/make-file.ts';
import { SystemError } from '../filesystem/system-error.ts';
import type { WriteOptions } from '../filesystem/write-bytes.ts';
import type { BlobId, PackId } from '../format/ids.ts';
import type { BlobLocation } from '../index/blob-index.ts';
import { type BlobRange, rangesOf } from '../pack/blob-ranges.ts';
import { BlobOpening } from '../workers/blob-opening.ts';
import type { BlobCopy, BlobDestination } from '../workers/operations.ts';
import type { BlobCopier, BlobReader, CopyTarget } from './blob-store.ts';
import type { IndexStore } from './index-store.ts';

/** As many are looked at together for neighbours; fewer when no more come. */
const mostWanted = 1024;
/** What is sent to a thread at once, and read with one request. */
const rangeLimits = { bytes: 4 * 1024 * 1024, gapBytes: 256 * 1024, blobs: 256 };

export interface BlobCopierParts {
  readonly backend: Backend;
  readonly key: MasterKey;
  readonly indexes: IndexStore;
  /** For what cannot be copied from where the index first finds it. */
  readonly blobs: BlobReader;
  readonly options: WriteOptions;
}

/** One blob on its way. */
interface Copying extends BlobLocation, Abortable {
  readonly id: BlobId;
  readonly to: BlobDestination;
  readonly settle: (copy: BlobCopy) => void;
  readonly fail: (error: unknown) => void;
}

/** Neighbours in a pack are read with one request, and opened and written in worker threads. */
export class PackBlobCopier implements BlobCopier {
  readonly #parts: BlobCopierParts;
  readonly #opening: BlobOpening;
  #wanted = new Map<PackId, Copying[]>();
  #wantedCount = 0;
  #flush: NodeJS.Immediate | undefined;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(parts: BlobCopierParts) {
    this.#parts = parts;
    this.#opening = new BlobOpening(parts.key);
  }

  async copy(id: BlobId, target: CopyTarget, { signal }: Abortable = {}): Promise<void> {
    const { file, position } = target;
    const copy = await this.#copyTo(id, { file, position }, signal);
    if (copy === 'copied') return;
    if (typeof copy === 'object' && 'errorCode' in copy) throw new SystemError(copy.errorCode, 'write');
    // Another copy of it may be sound; otherwise this throws what is wrong.
    const plaintext = await this.#parts.blobs.readBlob('data', id, { signal });
    await target.write(plaintext);
  }

  async makeFile(
    id: BlobId,
    file: NewFile,
    { signal }: Abortable = {},
  ): Promise<readonly MetadataFailure[] | undefined> {
    const copy = await this.#copyTo(id, file, signal);
    if (copy === 'copied') return [];
    return typeof copy === 'object' && 'metadataFailures' in copy ? copy.metadataFailures : undefined;
  }

  async read(id: BlobId, memory: Uint8Array, { signal }: Abortable = {}): Promise<void> {
    if ((await this.#copyTo(id, { memory }, signal)) === 'copied') return;
    // Another copy of it may be sound; otherwise this throws what is wrong.
    memory.set(await this.#parts.blobs.readBlob('data', id, { signal }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearImmediate(this.#flush);
    await this.#opening[Symbol.asyncDispose]();
  }

  async #copyTo(id: BlobId, to: BlobDestination, signal: AbortSignal | undefined): Promise<BlobCopy> {
    throwIfAborted(signal);
    const location = this.#parts.indexes.current.find('data', id);
    if (location === undefined) return 'damaged';
    const copy = await this.#enqueue({ id, ...location, to, signal });
    throwIfAborted(signal);
    return copy;
  }

  #enqueue(copying: Omit<Copying, 'settle' | 'fail'>): Promise<BlobCopy> {
    const { promise, resolve, reject } = Promise.withResolvers<BlobCopy>();
    const wanted = this.#wanted.get(copying.packId) ?? [];
    this.#wanted.set(copying.packId, wanted);
    wanted.push({ ...copying, settle: resolve, fail: reject });
    this.#wantedCount += 1;
    if (this.#wantedCount >= mostWanted) this.#start();
    else this.#flush ??= this.#waitForMore();
    return promise;
  }

  /** Starts when a turn of the thread has brought nothing more: by then the neighbours are there. */
  #waitForMore(): NodeJS.Immediate {
    const seen = this.#wantedCount;
    return setImmediate(() => {
      if (this.#wantedCount === seen) this.#start();
      else this.#flush = this.#waitForMore();
    });
  }

  #start(): void {
    clearImmediate(this.#flush);
    this.#flush = undefined;
    const wanted = this.#wanted;
    this.#wanted = new Map();
    this.#wantedCount = 0;
    for (const [packId, copyings] of wanted) {
      copyings.sort((a, b) => a.offset - b.offset);
      for (const range of rangesOf(copyings, rangeLimits)) {
        this.#copyRange(packId, range).catch((error: unknown) => {
          for (const { fail } of range.blobs) fail(error);
        });
      }
    }
  }

  async #copyRange(packId: PackId, range: BlobRange<Copying>): Promise<void> {
    await this.#enter();
    try {
      const copyings = range.blobs;
      // All of a restore end by the same signal.
      const signal = copyings[0]?.signal;
      using memory = this.#opening.borrow(range.length);
      const options = { into: memory.bytes, signal };
      const sealed = await this.#parts.backend.loadRange({ kind: 'data', id: packId }, range, options);
      if (sealed?.length !== range.length) {
        for (const { settle } of copyings) settle('damaged');
        return;
      }
      const blobs = copyings.map(({ id, offset, length, uncompressedLength, to }) => ({
        id,
        offset: offset - range.offset,
        length,
        uncompressedLength,
        to,
      }));
      const copies = await this.#opening.copyBlobs({ sealed, blobs, options: this.#parts.options });
      for (const [at, { settle }] of copyings.entries()) settle(copies[at] ?? 'damaged');
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    // As many are read, which may take long, as are opened.
    if (this.#running >= 2 * this.#opening.callsAtOnce) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
  }

  #leave(): void {
    this.#running -= 1;
    this.#waiting.shift()?.();
  }
}
