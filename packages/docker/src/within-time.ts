import { type Abortable, throwIfAborted } from '@holdfast/base';

export interface TimeLimit extends Abortable {
  readonly timeoutMs: number;
  /** What to fail with when the time is over. */
  readonly onTimeout: () => Error;
}

/**
 * Rejects as soon as the signal fires or the time is over, even if `work` does not notice; `work` gets a signal that
 * fires in both cases, to let go of what it holds.
 */
export async function withinTime<Result>(
  { signal, timeoutMs, onTimeout }: TimeLimit,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  throwIfAborted(signal);
  const controller = new AbortController();
  const cut = Promise.withResolvers<never>();
  const cutWith = (error: unknown) => {
    cut.reject(error);
    controller.abort(error);
  };
  const onAbort = () => {
    try {
      throwIfAborted(signal);
    } catch (error) {
      cutWith(error);
    }
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => cutWith(onTimeout()), timeoutMs);
  try {
    return await Promise.race([work(controller.signal), cut.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
