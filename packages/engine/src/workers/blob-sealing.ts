import type { MasterKey } from '../crypto/master-key.ts';
import { SystemError } from '../filesystem/system-error.ts';
import type { BlobId } from '../format/ids.ts';
import { type PlainBlob, type SealedBlob, sealBlob } from '../pack/blob-seal.ts';
import { Batches } from './batches.ts';
import type { FileToHash, HeldBlob, SealedBatch } from './operations.ts';
import { type EngineWorker, WorkerPool } from './worker-pool.ts';

/** So much is sealed at once by the caller's own thread before the first worker is started for it. */
const inlineBytes = 256 * 1024;
const batchLimits = { count: 48, bytes: 1024 * 1024 };

/** A plaintext that a worker holds. It has to be sealed or dropped, at once or later. */
export interface HashedBlob {
  readonly id: BlobId;
  readonly sizeBytes: number;
  seal(): Promise<SealedBlob>;
  drop(): void;
}

/** Hashes, compresses, seals and proves blobs, in worker threads: many small ones at a time. */
export class BlobSealing implements AsyncDisposable {
  readonly #key: MasterKey;
  readonly #pool: WorkerPool;
  readonly #files: Batches<FileToHash, HashedBlob>;
  readonly #plaintexts: Batches<PlainBlob, SealedBlob>;
  #inlineBytes = 0;
  #holds = 0;

  constructor(key: MasterKey) {
    this.#key = key;
    this.#pool = new WorkerPool(key);
    this.#files = new Batches<FileToHash, HashedBlob>(batchLimits, (files) => this.#hashFiles(files));
    this.#plaintexts = new Batches<PlainBlob, SealedBlob>(batchLimits, (blobs) =>
      this.#sealPlaintexts(blobs),
    );
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
    const worker = this.#pool.next();
    const id = await worker.call('hashBytes', { hold, bytes });
    const batch = new HeldBatch(worker, hold, 1);
    return { id, sizeBytes: bytes.length, seal: () => batch.seal(0), drop: () => batch.drop() };
  }

  /** Seals a blob whose id is known already. */
  async seal(blob: PlainBlob): Promise<SealedBlob> {
    if (!this.#pool.isStarted && this.#inlineBytes + blob.plaintext.length <= inlineBytes) {
      this.#inlineBytes += blob.plaintext.length;
      return sealBlob(this.#key, blob.id, blob.plaintext);
    }
    return await this.#plaintexts.add(blob, blob.plaintext.length);
  }

  /** What is under way rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  #nextHold(): number {
    this.#holds += 1;
    return this.#holds;
  }

  async #hashFiles(files: readonly FileToHash[]): Promise<readonly (HashedBlob | SystemError)[]> {
    const hold = this.#nextHold();
    const worker = this.#pool.next();
    const held = await worker.call('hashFiles', { hold, files });
    const batch = new HeldBatch(worker, hold, held.filter((blob) => 'id' in blob).length);
    return held.map((blob: HeldBlob, position) => {
      if ('errorCode' in blob) return new SystemError(blob.errorCode, 'read');
      return { ...blob, seal: () => batch.seal(position), drop: () => batch.drop() };
    });
  }

  async #sealPlaintexts(blobs: readonly PlainBlob[]): Promise<readonly SealedBlob[]> {
    return sealedBlobs(await this.#pool.next().call('sealBytes', { blobs }));
  }
}

/** What a worker holds of one batch; it is told to seal once it is known of each blob whether it is new. */
class HeldBatch {
  readonly #worker: EngineWorker;
  readonly #hold: number;
  readonly #chosen: number[] = [];
  readonly #sealed = Promise.withResolvers<readonly SealedBlob[]>();
  #undecided: number;

  constructor(worker: EngineWorker, hold: number, blobs: number) {
    this.#worker = worker;
    this.#hold = hold;
    this.#undecided = blobs;
    this.#sealed.promise.catch(() => {});
    if (blobs === 0) this.#send();
  }

  async seal(position: number): Promise<SealedBlob> {
    const at = this.#chosen.push(position) - 1;
    this.#decide();
    return (await this.#sealed.promise)[at] as SealedBlob;
  }

  drop(): void {
    this.#decide();
  }

  #decide(): void {
    this.#undecided -= 1;
    if (this.#undecided === 0) this.#send();
  }

  #send(): void {
    const sealing = this.#worker.call('sealHeld', { hold: this.#hold, chosen: this.#chosen });
    sealing.then((batch) => this.#sealed.resolve(sealedBlobs(batch)), this.#sealed.reject);
  }
}

function sealedBlobs({ memory, places }: SealedBatch): SealedBlob[] {
  let offset = 0;
  return places.map(({ lengthBytes, uncompressedLength }) => {
    const sealed = memory.subarray(offset, offset + lengthBytes);
    offset += lengthBytes;
    return { sealed, uncompressedLength };
  });
}
