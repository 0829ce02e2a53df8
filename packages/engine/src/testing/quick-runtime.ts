import { type Abortable, sleep } from '@holdfast/base';
import { type Identity, type Runtime, systemRuntime } from '../repository/runtime.ts';
import { quickScrypt } from './manual-runtime.ts';

const shortMs = 1_000;

/**
 * This process, with keys that are made in no time, and without short waits such as the one in which two holders of
 * locks come to see each other: for tests in which nobody else is there.
 */
export function quickRuntime(identity: Partial<Identity> = {}): Runtime {
  return {
    ...systemRuntime(identity),
    scrypt: quickScrypt,
    sleep: async (durationMs: number, options: Abortable) => {
      if (durationMs >= shortMs) await sleep(durationMs, options);
    },
  };
}
