import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { HoldfastError } from '@holdfast/base';
import type { MasterKey } from '../crypto/master-key.ts';
import type { AnswerOf, OperationName, RequestOf, ThreadAnswer, ThreadMessage } from './operations.ts';
import { ThreadGate } from './thread-gate.ts';

/** Threads keep next to nothing in their heaps; small ones keep the process small. */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 };

/**
 * Node strips the types of a thread's modules by WebAssembly, which calls back into JavaScript. V8 compiles that way once
 * it has been used often, and may end the process when several threads do so at once (`Check failed:
 * jit_page.has_value()`). No thread gets that far.
 */
setFlagsFromString('--wasm-wrapper-tiering-budget=2000000000');

interface PendingCall {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One worker thread, and the calls that it has not answered yet; it answers them in their order. */
export class EngineThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingCall>();
  readonly #sessions = new Set<number>();
  readonly #gate = new ThreadGate();
  #calls = 0;
  #failure: HoldfastError | undefined;

  constructor() {
    this.#worker = new Worker(new URL('worker-thread.ts', import.meta.url), {
      workerData: this.#gate.memory,
      resourceLimits,
      execArgv: [],
      // Descriptors belong to the process: files are opened here that were not opened through Node.
      trackUnmanagedFds: false,
    });
    this.#worker.on('message', (answer: ThreadAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
    this.#worker.unref();
  }

  get pendingCalls(): number {
    return this.#pending.size;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Work under a key. What a session leaves with the thread is there until `endSession`. `transfer` is handed over, not copied. */
  async call<Name extends OperationName>(
    { session, key }: { readonly session: number; readonly key: MasterKey },
    { name, request }: { readonly name: Name; readonly request: RequestOf<Name> },
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<AnswerOf<Name>> {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#sessions.has(session)) {
      this.#sessions.add(session);
      this.#post({ session, key: { encrypt: key.encrypt, macK: key.macK, macR: key.macR } });
    }
    this.#calls += 1;
    const call = this.#calls;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(call, { resolve, reject });
    // The process has something to wait for only while a call is pending.
    this.#worker.ref();
    this.#post({ session, call, name, request }, transfer);
    return (await promise) as AnswerOf<Name>;
  }

  /** Makes the thread forget the session's key, and what it keeps for it, after the calls that are pending. */
  endSession(session: number): void {
    if (this.#sessions.delete(session) && !this.hasFailed) this.#post({ session, isClosed: true });
  }

  /** Waits for what the thread is doing at this moment; it does nothing more. To be called before the process ends. */
  close(): void {
    this.#gate.close();
  }

  /** Calls that are pending reject. */
  async stop(): Promise<void> {
    this.#fail(undefined);
    this.close();
    await this.#worker.terminate();
  }

  #post(message: ThreadMessage, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #settle(message: ThreadAnswer): void {
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
