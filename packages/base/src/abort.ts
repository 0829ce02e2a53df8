import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from './holdfast-error.ts';

export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** Throws `interrupted` if the signal has fired. Call it between the steps of long work. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interrupted(signal);
}

/** Waits `durationMs`; rejects with `interrupted` as soon as the signal fires. */
export async function sleep(durationMs: number, { signal }: Abortable = {}): Promise<void> {
  throwIfAborted(signal);
  try {
    await delay(durationMs, undefined, signal === undefined ? undefined : { signal });
  } catch (error) {
    if (signal?.aborted) throw interrupted(signal);
    throw error;
  }
}

/** What the promise comes to; rejects as soon as the signal fires, and leaves the promise to itself then. */
export async function untilAborted<Result>(promise: Promise<Result>, { signal }: Abortable): Promise<Result> {
  throwIfAborted(signal);
  if (signal === undefined) return await promise;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(interrupted(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function interrupted(signal: AbortSignal): HoldfastError {
  if (signal.reason instanceof HoldfastError) return signal.reason;
  return new HoldfastError('interrupted', 'The work was interrupted.', { cause: signal.reason });
}
