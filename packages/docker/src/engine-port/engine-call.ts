import { type Abortable, HoldfastError } from '@holdfast/base';
import { withinTime } from '../within-time.ts';
import { type EngineSubject, translateEngineError } from './engine-error.ts';

export interface CallOptions extends Abortable {
  /** What is being asked, as it stands in a message: `pause container web-1`. */
  readonly action: string;
  readonly subject?: EngineSubject;
  readonly timeoutMs: number;
}

/** Runs one request within its time, and says in Holdfast's codes how it failed. */
export type EngineCall = <Result>(
  options: CallOptions,
  work: (signal: AbortSignal) => Promise<Result>,
) => Promise<Result>;

export function createEngineCall(host: string): EngineCall {
  return async ({ action, subject, timeoutMs, signal }, work) => {
    try {
      return await withinTime(
        { signal, timeoutMs, onTimeout: () => noAnswer(host, action, timeoutMs) },
        work,
      );
    } catch (error) {
      throw translateEngineError(error, { host, action, subject });
    }
  };
}

function noAnswer(host: string, action: string, timeoutMs: number): HoldfastError {
  const seconds = Math.round(timeoutMs / 1000);
  return new HoldfastError('docker-unreachable', `Docker did not ${action} within ${seconds} s.`, {
    hint: 'See whether the Docker Engine is overloaded or stuck: `docker ps` should answer at once.',
    context: { host, action },
    retry: true,
  });
}
