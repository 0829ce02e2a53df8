import { availableParallelism } from 'node:os';
import { HoldfastError } from '@holdfast/base';
import type { MasterKey } from '../crypto/master-key.ts';
import { EngineThread } from './engine-thread.ts';
import type { AnswerOf, OperationName, RequestOf } from './operations.ts';

const mostThreads = 8;
/** How many threads there are at most, in the whole process. */
export const threadCount = Math.min(availableParallelism(), mostThreads);
/** Threads that nobody has used for so long end. */
const idleMs = 5_000;

/** The threads of the process, for all that is under way in it: as many as there are processors. */
class EngineThreads {
  #threads: EngineThread[] = [];
  #users = 0;
  #endsWithProcess = false;
  #idle: NodeJS.Timeout | undefined;

  enter(): void {
    clearTimeout(this.#idle);
    this.#users += 1;
  }

  leave(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#idle = setTimeout(() => this.#stopAll(), idleMs).unref();
  }

  /** The one with the least to do; another is started while all have something. */
  next(): EngineThread {
    this.#forgetEnded();
    const [idlest] = this.#threads.toSorted((a, b) => a.pendingCalls - b.pendingCalls);
    const isEnough = this.#threads.length === threadCount;
    return idlest !== undefined && (idlest.pendingCalls === 0 || isEnough) ? idlest : this.#start();
  }

  startAll(): void {
    this.#forgetEnded();
    while (this.#threads.length < threadCount) this.#start();
  }

  #start(): EngineThread {
    if (!this.#endsWithProcess) process.on('exit', () => this.#closeAll());
    this.#endsWithProcess = true;
    const thread = new EngineThread();
    this.#threads.push(thread);
    return thread;
  }

  #stopAll(): void {
    for (const thread of this.#threads) if (thread.pendingCalls === 0) void thread.stop();
  }

  #closeAll(): void {
    this.#forgetEnded();
    for (const thread of this.#threads) thread.close();
  }

  #forgetEnded(): void {
    this.#threads = this.#threads.filter(({ hasFailed }) => !hasFailed);
  }
}

const threads = new EngineThreads();
let sessions = 0;

/** Starts the threads before there is work for them: that takes a tenth of a second. */
export function prepareThreads(): void {
  threads.enter();
  threads.startAll();
  threads.leave();
}

/** One user of the process's threads, under one key. */
export class WorkerPool implements AsyncDisposable {
  readonly #key: MasterKey;
  readonly #used = new Set<EngineThread>();
  readonly #calls = new Set<Promise<unknown>>();
  #session: number | undefined;
  #isDisposed = false;

  constructor(key: MasterKey) {
    this.#key = key;
  }

  /** True when it has given a thread something to do. */
  get isStarted(): boolean {
    return this.#session !== undefined;
  }

  /** The thread with the least to do. */
  next(): EngineThread {
    return threads.next();
  }

  /** `transfer`: memory that is handed over instead of copied. */
  async call<Name extends OperationName>(
    thread: EngineThread,
    work: { readonly name: Name; readonly request: RequestOf<Name> },
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<AnswerOf<Name>> {
    const call = thread.call({ session: this.#enter(thread), key: this.#key }, work, transfer);
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Waits for what is under way; then the threads forget the key and all that they keep for this pool. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#calls);
    const session = this.#session;
    this.#isDisposed = true;
    if (session === undefined) return;
    for (const thread of this.#used) thread.endSession(session);
    this.#used.clear();
    this.#session = undefined;
    threads.leave();
  }

  #enter(thread: EngineThread): number {
    if (this.#isDisposed) throw new HoldfastError('internal', 'Work for threads came after its end.');
    this.#used.add(thread);
    if (this.#session === undefined) {
      sessions += 1;
      this.#session = sessions;
      threads.enter();
    }
    return this.#session;
  }
}
