import type { MasterKey } from '../crypto/master-key.ts';
import type { AnswerOf, RequestOf } from './operations.ts';
import { WorkerPool } from './worker-pool.ts';

/** Opens sealed blobs in worker threads: into files, or only to prove a pack. */
export class BlobOpening implements AsyncDisposable {
  readonly #pool: WorkerPool;

  constructor(key: MasterKey) {
    this.#pool = new WorkerPool(key);
  }

  /** How many calls keep every thread at work. */
  get callsAtOnce(): number {
    return 2 * this.#pool.size;
  }

  /** Writes blobs of a stretch of a pack to open files; see `Operations`. */
  async copyBlobs(request: RequestOf<'copyBlobs'>): Promise<AnswerOf<'copyBlobs'>> {
    return await this.#pool.next().call('copyBlobs', request, transferable(request.sealed));
  }

  /** Proves a whole pack; see `Operations`. */
  async provePack(request: RequestOf<'provePack'>): Promise<AnswerOf<'provePack'>> {
    return await this.#pool.next().call('provePack', request, transferable(request.pack));
  }

  /** What is under way rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}

/** Memory that holds nothing else is handed over instead of copied. */
function transferable(bytes: Uint8Array): ArrayBuffer[] {
  const { buffer } = bytes;
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  return isAlone ? [buffer] : [];
}
