import type { Clock } from '@holdfast/base';

const windowMs = 15_000;
const sampleEveryMs = 250;

/** How fast a count grows, over the last quarter of a minute. */
export class RateMeter {
  readonly #clock: Clock;
  #samples: { readonly atMs: number; readonly count: number }[] = [];
  #atMs = 0;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** May be called very often. A count smaller than the last one begins anew. */
  add(count: number): void {
    const atMs = this.#clock.elapsed();
    if (count < this.#count) this.#samples = [];
    this.#count = count;
    this.#atMs = atMs;
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < sampleEveryMs) return;
    this.#samples.push({ atMs, count });
    while ((this.#samples[0]?.atMs ?? atMs) < atMs - windowMs) this.#samples.shift();
  }

  /** Per second; undefined until there is enough to tell. */
  perSecond(): number | undefined {
    const first = this.#samples[0];
    if (first === undefined || this.#atMs - first.atMs < 500) return undefined;
    return ((this.#count - first.count) * 1000) / (this.#atMs - first.atMs);
  }
}
