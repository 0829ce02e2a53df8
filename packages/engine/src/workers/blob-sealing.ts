import { sha256OfParts } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { sealOverheadBytes } from '../crypto/seal.ts';
import { SystemError } from '../filesystem/system-error.ts';
import type { BlobId } from '../format/ids.ts';
import { blobSealerOf, type PlainBlob, type SealedBlob } from '../pack/blob-seal.ts';
import { Batches } from './batches.ts';
import type { EngineThread } from './engine-thread.ts';
import { HeldBatch } from './held-batch.ts';
import type { FileToHash, HeldBlob } from './operations.ts';
import { SharedArena } from './shared-arena.ts';
import { takeSealed } from './take-sealed.ts';
import { WorkerPool } from './worker-pool.ts';

/** So much is sealed at once by the caller's own thread before the first worker is started for it. */
const inlineBytes = 256 * 1024;
/** For what threads seal into: enough that none waits for work. */
const sealedMemoryBytes = 24 * 1024 * 1024;
const batchLimits = { count: 48, bytes: 1024 * 1024 };

/** Takes a sealed blob over: its memory is used again as soon as this returns. */
export type TakeSealed<Result> = (blob: SealedBlob) => Result;

/** A plaintext that a worker holds. It has to be sealed or dropped, at once or later. */
export interface HashedBlob {
  readonly id: BlobId;
  readonly sizeBytes: number;
  seal<Result>(take: TakeSealed<Result>): Promise<Result>;
  drop(): void;
}

interface Sealing {
  readonly blob: PlainBlob;
  readonly take: TakeSealed<unknown>;
}

/** Hashes, compresses, seals and proves blobs, in worker threads: many small ones at a time. */
export class BlobSealing implements AsyncDisposable {
  readonly #key: MasterKey;
  readonly #pool: WorkerPool;
  readonly #memory = new SharedArena(sealedMemoryBytes);
  readonly #files: Batches<FileToHash, HashedBlob>;
  readonly #plaintexts: Batches<Sealing, unknown>;
  #inlineBytes = 0;
  #holds = 0;

  constructor(key: MasterKey) {
    this.#key = key;
    this.#pool = new WorkerPool(key);
    this.#files = new Batches<FileToHash, HashedBlob>(batchLimits, (files) => this.#hashFiles(files));
    this.#plaintexts = new Batches<Sealing, unknown>(batchLimits, (sealings) => this.#sealAll(sealings));
  }

  /**
   * Reads an open file from its start on, up to that size, as one blob.
   * @throws SystemError when it cannot be read
   */
  async hashFile(file: number, sizeBytes: number): Promise<HashedBlob> {
    return await this.#files.add({ file, sizeBytes }, sizeBytes);
  }

  /** `bytes` must not change before the blob is sealed or dropped; shared memory is not even copied. */
  async hashBytes(bytes: Uint8Array): Promise<HashedBlob> {
    const hold = this.#nextHold();
    const thread = this.#pool.next();
    const id = await this.#pool.call(thread, { name: 'hashBytes', request: { hold, bytes } });
    return this.#heldBlob({ id, sizeBytes: bytes.length }, 0, this.#heldBatch(thread, hold, 1));
  }

  /** Seals a blob whose id is known already. */
  async seal<Result>(blob: PlainBlob, take: TakeSealed<Result>): Promise<Result> {
    if (!this.#pool.isStarted && this.#inlineBytes + blob.plaintext.length <= inlineBytes) {
      this.#inlineBytes += blob.plaintext.length;
      const [sealed] = blobSealerOf(this.#key).sealAll([blob]);
      return take(sealed as SealedBlob);
    }
    return (await this.#plaintexts.add({ blob, take }, blob.plaintext.length)) as Result;
  }

  /** SHA-256 of parts in a row, which are in shared memory. */
  async hashParts(parts: readonly Uint8Array[]): Promise<string> {
    if (!this.#pool.isStarted) return sha256OfParts(parts);
    return await this.#pool.call(this.#pool.next(), { name: 'hashParts', request: { parts } });
  }

  /** Waits for what the threads have under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  #nextHold(): number {
    this.#holds += 1;
    return this.#holds;
  }

  async #hashFiles(files: readonly FileToHash[]): Promise<readonly (HashedBlob | SystemError)[]> {
    const hold = this.#nextHold();
    const thread = this.#pool.next();
    const held = await this.#pool.call(thread, { name: 'hashFiles', request: { hold, files } });
    const blobs = held.filter((blob) => 'id' in blob).length;
    const batch = this.#heldBatch(thread, hold, blobs);
    return held.map((blob: HeldBlob, position) => {
      if ('errorCode' in blob) return new SystemError(blob.errorCode, 'read');
      return this.#heldBlob(blob, position, batch);
    });
  }

  #heldBatch(thread: EngineThread, hold: number, blobs: number): HeldBatch {
    return new HeldBatch({ pool: this.#pool, thread, memory: this.#memory }, hold, blobs);
  }

  #heldBlob(
    blob: { readonly id: BlobId; readonly sizeBytes: number },
    position: number,
    batch: HeldBatch,
  ): HashedBlob {
    return {
      ...blob,
      seal: (take) => batch.seal({ position, sizeBytes: blob.sizeBytes, take }),
      drop: () => batch.drop(),
    };
  }

  async #sealAll(sealings: readonly Sealing[]): Promise<readonly unknown[]> {
    const plainBytes = sealings.reduce((total, { blob }) => total + blob.plaintext.length, 0);
    const sealedBytes = plainBytes + sealings.length * sealOverheadBytes;
    return await this.#memory.use(plainBytes + sealedBytes, async (memory) => {
      const [plaintexts, into] = [memory.subarray(0, plainBytes), memory.subarray(plainBytes)];
      let offset = 0;
      for (const { blob } of sealings) {
        plaintexts.set(blob.plaintext, offset);
        offset += blob.plaintext.length;
      }
      const blobs = sealings.map(({ blob }) => ({ id: blob.id, sizeBytes: blob.plaintext.length }));
      const work = { name: 'sealBytes', request: { plaintexts, blobs, into } } as const;
      const places = await this.#pool.call(this.#pool.next(), work);
      return takeSealed(
        into,
        places,
        sealings.map(({ take }) => take),
      );
    });
  }
}
