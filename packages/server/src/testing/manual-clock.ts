import type { Clock } from '@holdfast/base';

export interface ManualClock extends Clock {
  advance(durationMs: number): void;
}

/** A clock that stands still until it is told to go on. */
export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let passedMs = 0;
  return {
    now: () => startMs + passedMs,
    elapsed: () => passedMs,
    advance: (durationMs) => {
      passedMs += durationMs;
    },
  };
}
