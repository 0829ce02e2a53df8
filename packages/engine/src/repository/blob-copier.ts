import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { Backend, ByteRange } from '../backend/backend.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { SystemError } from '../filesystem/system-error.ts';
import type { BlobId, PackId } from '../format/ids.ts';
import type { BlobLocation } from '../index/blob-index.ts';
import { BlobOpening } from '../workers/blob-opening.ts';
import type { BlobCopy } from '../workers/operations.ts';
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
  readonly sparse: boolean;
}

/** One blob on its way. */
interface Copying {
  readonly id: BlobId;
  readonly location: BlobLocation;
  readonly target: CopyTarget;
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
    throwIfAborted(signal);
    const location = this.#parts.indexes.current.find('data', id);
    const copied = location === undefined ? 'damaged' : await this.#enqueue(id, location, target);
    throwIfAborted(signal);
    if (copied === 'copied') return;
    if (copied !== 'damaged') throw new SystemError(copied.errorCode, 'write');
    // Another copy of it may be sound; otherwise this throws what is wrong.
    const plaintext = await this.#parts.blobs.readBlob('data', id, { signal });
    await target.write(plaintext);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearImmediate(this.#flush);
    await this.#opening[Symbol.asyncDispose]();
  }

  async #enqueue(id: BlobId, location: BlobLocation, target: CopyTarget): Promise<BlobCopy> {
    const { promise, resolve, reject } = Promise.withResolvers<BlobCopy>();
    const wanted = this.#wanted.get(location.packId) ?? [];
    this.#wanted.set(location.packId, wanted);
    wanted.push({ id, location, target, settle: resolve, fail: reject });
    this.#wantedCount += 1;
    if (this.#wantedCount >= mostWanted) this.#start();
    else this.#flush ??= this.#waitForMore();
    return await promise;
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
      copyings.sort((a, b) => a.location.offset - b.location.offset);
      for (const range of rangesOf(copyings)) {
        this.#copyRange(packId, range).catch((error: unknown) => {
          for (const { fail } of range) fail(error);
        });
      }
    }
  }

  async #copyRange(packId: PackId, copyings: readonly Copying[]): Promise<void> {
    await this.#enter();
    try {
      const range = extentOf(copyings);
      const sealed = await this.#parts.backend.loadRange({ kind: 'data', id: packId }, range);
      if (sealed?.length !== range.length) {
        for (const { settle } of copyings) settle('damaged');
        return;
      }
      const blobs = copyings.map(({ id, location, target }) => ({
        id,
        offset: location.offset - range.offset,
        length: location.length,
        uncompressedLength: location.uncompressedLength,
        file: target.file,
        position: target.position,
      }));
      const copies = await this.#opening.copyBlobs({ sealed, blobs, sparse: this.#parts.sparse });
      for (const [at, { settle }] of copyings.entries()) settle(copies[at] ?? 'damaged');
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running >= this.#opening.callsAtOnce) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
  }

  #leave(): void {
    this.#running -= 1;
    this.#waiting.shift()?.();
  }
}

function extentOf(copyings: readonly Copying[]): ByteRange {
  const offset = copyings[0]?.location.offset ?? 0;
  const end = Math.max(...copyings.map(({ location }) => location.offset + location.length));
  return { offset, length: end - offset };
}

/** Stretches of a pack to read at once. `copyings` are in the order of their offsets. */
function* rangesOf(copyings: readonly Copying[]): Generator<readonly Copying[], void> {
  let range: Copying[] = [];
  let start = 0;
  let end = 0;
  for (const copying of copyings) {
    const { offset, length } = copying.location;
    const isNear =
      offset - end <= rangeLimits.gapBytes &&
      offset + length - start <= rangeLimits.bytes &&
      range.length < rangeLimits.blobs;
    if (range.length > 0 && !isNear) {
      yield range;
      range = [];
    }
    if (range.length === 0) start = offset;
    range.push(copying);
    end = offset + length;
  }
  if (range.length > 0) yield range;
}
