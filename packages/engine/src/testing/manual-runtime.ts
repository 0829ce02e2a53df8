import { setTimeout as realDelay } from 'node:timers/promises';
import { type Abortable, HoldfastError } from '@holdfast/base';
import type { ScryptParameters } from '../format/key-file.ts';
import type { Identity, Runtime } from '../repository/runtime.ts';

const startMs = Date.UTC(2026, 0, 1);
/** Keys for tests: made in no time, and no protection. */
export const quickScrypt: ScryptParameters = { N: 1024, r: 8, p: 1 };

const secondMs = 1_000;

interface Sleeper {
  readonly wakeAtMs: number;
  wake(): void;
}

/** The time that several runtimes share. It passes only when it is told to. */
export class ManualTime {
  #elapsedMs = 0;
  /** What a wall clock shows beyond the time that passed: a test may set it forward or back. */
  wallOffsetMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return startMs + this.#elapsedMs + this.wallOffsetMs;
  }

  elapsed(): number {
    return this.#elapsedMs;
  }

  /** Lets time pass, and wakes up what slept for so long. */
  advance(durationMs: number): void {
    this.#elapsedMs += durationMs;
    for (const sleeper of this.#sleepers) {
      if (sleeper.wakeAtMs > this.#elapsedMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  /**
   * Lets time pass second by second. What wakes up gets all the real time that it needs before it sleeps again;
   * `ending` fires when it will not sleep again.
   */
  async pass(durationMs: number, ending?: AbortSignal): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += secondMs) {
      const sleepers = this.#sleepers.size;
      this.advance(Math.min(secondMs, durationMs - passedMs));
      while (this.#sleepers.size < sleepers && !ending?.aborted) await realDelay(2);
    }
  }

  async sleep(durationMs: number, { signal }: Abortable): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = (): void => reject(new HoldfastError('interrupted', 'The work was interrupted.'));
    if (signal?.aborted) stop();
    const sleeper = { wakeAtMs: this.#elapsedMs + durationMs, wake: resolve };
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', stop);
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#sleepers.delete(sleeper);
    }
  }
}

export interface ManualRuntimeOptions {
  readonly time: ManualTime;
  readonly identity?: Partial<Identity>;
  /** Pids of processes that run on this host. */
  readonly alivePids?: ReadonlySet<number>;
}

/** A process on some host, with a clock that stands still. */
export function manualRuntime({ time, identity, alivePids }: ManualRuntimeOptions): Runtime {
  const pid = identity?.pid ?? 1000;
  return {
    clock: time,
    identity: { hostname: 'anvil', username: 'smith', pid, uid: 0, gid: 0, ...identity },
    scrypt: quickScrypt,
    sleep: (durationMs, options) => time.sleep(durationMs, options),
    isProcessAlive: (other) => (alivePids ?? new Set([pid])).has(other),
  };
}
