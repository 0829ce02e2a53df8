import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { HoldfastError } from '@holdfast/base';
import type { MasterKey } from '../crypto/master-key.ts';
import type { AnswerOf, OperationName, RequestOf, WorkerAnswer } from './operations.ts';
import type { WorkerStart } from './worker-thread.ts';

const mostWorkers = 8;
/** Workers keep next to nothing in their heaps; small ones keep the process small. */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 };

interface PendingCall {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One thread, and the calls that it has not answered yet; it answers them in their order. */
export class EngineWorker {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingCall>();
  #calls = 0;
  #failure: HoldfastError | undefined;

  constructor(key: MasterKey) {
    const workerData: WorkerStart = { key: { encrypt: key.encrypt, macK: key.macK, macR: key.macR } };
    this.#worker = new Worker(new URL('worker-thread.ts', import.meta.url), {
      workerData,
      resourceLimits,
      execArgv: [],
    });
    this.#worker.on('message', (answer: WorkerAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
    this.#worker.unref();
  }

  get pendingCalls(): number {
    return this.#pending.size;
  }

  /** `transfer`: memory that is handed over instead of copied. */
  async call<Name extends OperationName>(
    name: Name,
    request: RequestOf<Name>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<AnswerOf<Name>> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#calls += 1;
    const call = this.#calls;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(call, { resolve, reject });
    // The process has something to wait for only while a call is pending.
    this.#worker.ref();
    this.#worker.postMessage({ call, name, request }, transfer);
    return (await promise) as AnswerOf<Name>;
  }

  /** Calls that are pending reject. */
  async stop(): Promise<void> {
    this.#fail(undefined);
    await this.#worker.terminate();
  }

  #settle(message: WorkerAnswer): void {
    const pending = this.#pending.get(message.call);
    this.#pending.delete(message.call);
    if (this.#pending.size === 0) this.#worker.unref();
    if ('error' in message) pending?.reject(HoldfastError.fromReport(message.error));
    else pending?.resolve(message.answer);
  }

  #fail(cause: unknown): void {
    this.#failure ??= new HoldfastError('internal', 'A worker thread ended before its work was done.', {
      hint: 'Try again; if memory is short here, give the process more.',
      cause,
    });
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
    this.#worker.unref();
  }
}

/** As many threads as there are processors, each started when there is work for it. */
export class WorkerPool implements AsyncDisposable {
  readonly #key: MasterKey;
  readonly #size = Math.min(availableParallelism(), mostWorkers);
  readonly #workers: EngineWorker[] = [];

  constructor(key: MasterKey) {
    this.#key = key;
  }

  get isStarted(): boolean {
    return this.#workers.length > 0;
  }

  get size(): number {
    return this.#size;
  }

  /** The worker with the least to do. */
  next(): EngineWorker {
    const [idlest] = [...this.#workers].sort((a, b) => a.pendingCalls - b.pendingCalls);
    if (idlest !== undefined && (idlest.pendingCalls === 0 || this.#workers.length === this.#size))
      return idlest;
    const started = new EngineWorker(this.#key);
    this.#workers.push(started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.stop()));
  }
}
