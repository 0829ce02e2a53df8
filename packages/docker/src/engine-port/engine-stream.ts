import { Readable } from 'node:stream';
import { type Abortable, HoldfastError, throwIfAborted } from '@holdfast/base';
import { dial } from './dial.ts';
import { type EngineSubject, translateEngineError } from './engine-error.ts';
import type { EngineLink } from './engine-link.ts';

export interface EngineStreamOptions extends Abortable {
  readonly action: string;
  readonly subject?: EngineSubject;
  readonly query?: Readonly<Record<string, string>>;
  /** For the engine to begin its answer. */
  readonly timeoutMs: number;
  /** The longest silence within the answer; none for a stream that waits for things to happen. */
  readonly idleTimeoutMs?: number;
}

/** Opens `GET path` as a stream. */
export async function openEngineStream(
  { dockerode, call }: EngineLink,
  path: string,
  options: EngineStreamOptions,
): Promise<Readable> {
  return call(options, async (abortSignal) => {
    const stream = await dial(dockerode, path, { query: options.query ?? {}, abortSignal, isStream: true });
    if (stream instanceof Readable) return stream;
    throw new HoldfastError('internal', 'The Docker client gave no stream.');
  });
}

/** Iterates over the stream's bytes; ends it when the signal fires, when it is silent for too long, and on leaving. */
export async function* readEngineStream(
  { host }: EngineLink,
  stream: Readable,
  { action, subject, signal, idleTimeoutMs }: EngineStreamOptions,
): AsyncGenerator<Buffer> {
  const idle = idleTimeoutMs === undefined ? undefined : setTimeout(() => stream.destroy(), idleTimeoutMs);
  const onAbort = () => stream.destroy();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    throwIfAborted(signal);
    for await (const chunk of stream) {
      idle?.refresh();
      yield Buffer.from(chunk);
    }
  } catch (error) {
    throwIfAborted(signal);
    throw translateEngineError(error, { host, action, subject });
  } finally {
    clearTimeout(idle);
    signal?.removeEventListener('abort', onAbort);
    stream.destroy();
  }
  throwIfAborted(signal);
}
