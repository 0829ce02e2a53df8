/** Where time comes from. Everything that reads the time is given one, so that tests can decide what time it is. */
export interface Clock {
  /** Milliseconds since the Unix epoch, by the wall clock: may jump. */
  now(): number;
  /** Milliseconds since some fixed moment, never going back: for durations and deadlines. */
  elapsed(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
};
