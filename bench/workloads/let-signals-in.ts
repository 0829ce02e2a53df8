import { setImmediate as nextTurn } from 'node:timers/promises';

/** Making an input is one long synchronous work: here a signal of the user comes through. */
export async function letSignalsIn(signal: AbortSignal): Promise<void> {
  await nextTurn();
  signal.throwIfAborted();
}
