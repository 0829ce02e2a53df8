import type { MasterKey } from '../crypto/master-key.ts';
import type { AnswerOf, OperationName, RequestOf } from './operations.ts';
import { SpareSharedMemory } from './spare-memory.ts';
import { threadCount, WorkerPool } from './worker-pool.ts';

export interface BorrowedMemory extends Disposable {
  readonly bytes: Buffer;
}

/** Opens sealed blobs in worker threads: into files, or only to prove a pack. */
export class BlobOpening implements AsyncDisposable {
  readonly #pool: WorkerPool;
  readonly #memory = new SpareSharedMemory();

  constructor(key: MasterKey) {
    this.#pool = new WorkerPool(key);
  }

  /** How many calls keep every thread at work. */
  get callsAtOnce(): number {
    return 2 * threadCount;
  }

  /** Memory to read at least so much to that is to be opened: threads see it. It is used again when it is disposed of. */
  borrow(sizeBytes: number): BorrowedMemory {
    const bytes = this.#memory.take(sizeBytes);
    return { bytes, [Symbol.dispose]: () => this.#memory.give(bytes) };
  }

  /** Writes blobs of a stretch of a pack to open files; see `Operations`. */
  async copyBlobs(request: RequestOf<'copyBlobs'>): Promise<AnswerOf<'copyBlobs'>> {
    return await this.#call('copyBlobs', request, request.sealed);
  }

  /** Proves a whole pack; see `Operations`. */
  async provePack(request: RequestOf<'provePack'>): Promise<AnswerOf<'provePack'>> {
    return await this.#call('provePack', request, request.pack);
  }

  /** Waits for what the threads have under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  async #call<Name extends OperationName>(
    name: Name,
    request: RequestOf<Name>,
    bytes: Uint8Array,
  ): Promise<AnswerOf<Name>> {
    return await this.#pool.call(this.#pool.next(), { name, request }, transferable(bytes));
  }
}

/** Memory that holds nothing else is handed over instead of copied. */
function transferable(bytes: Uint8Array): ArrayBuffer[] {
  const { buffer } = bytes;
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  return isAlone ? [buffer] : [];
}
