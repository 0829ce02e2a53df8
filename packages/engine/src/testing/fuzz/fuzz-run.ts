import fc from 'fast-check';
import { fuzzBytes } from './fuzz-bytes.ts';
import type { FuzzTarget } from './fuzz-targets.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly runs: number;
  /** Ends after so long, also with fewer runs. */
  readonly forMs?: number | undefined;
}

export interface FuzzResult {
  readonly runs: number;
  /** What went wrong, with the smallest input that was found for it, in base64; undefined if nothing did. */
  readonly failure: string | undefined;
  /** The longest that one input took. */
  readonly slowestMs: number;
}

/** Feeds a target: the same seed gives the same inputs. */
export async function runFuzz(
  { samples, feed }: FuzzTarget,
  { seed, runs, forMs }: FuzzOptions,
): Promise<FuzzResult> {
  let slowestMs = 0;
  let feeding: Promise<void> = Promise.resolve();
  const property = fc.asyncProperty(fuzzBytes(samples), async (bytes) => {
    const begunAtMs = performance.now();
    feeding = Promise.resolve(feed(bytes));
    await feeding;
    slowestMs = Math.max(slowestMs, performance.now() - begunAtMs);
  });
  const timeLimit =
    forMs === undefined ? {} : { interruptAfterTimeLimit: forMs, markInterruptAsFailure: false };
  const details = await fc.check(property, { seed, numRuns: runs, ...timeLimit });
  // At the end of its time the last input is still being fed: it must not meet the next target.
  await feeding.catch(() => {});
  const [smallest] = details.counterexample ?? [];
  const failure = details.failed
    ? `${String(details.errorInstance)} — seed ${details.seed}, path ${details.counterexamplePath}, input ${smallest?.toString('base64')}`
    : undefined;
  return { runs: details.numRuns, failure, slowestMs };
}
