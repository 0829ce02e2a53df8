/** Every single value, with what sums them up. */
export interface Series {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: readonly number[];
}

const keptDecimals = 3;

/** @throws RangeError for no values */
export function series(values: readonly number[]): Series {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: rounded(medianOf(sorted)),
    min: rounded(sorted[0] ?? 0),
    max: rounded(sorted.at(-1) ?? 0),
    runs: values.map(rounded),
  };
}

export function median(values: readonly number[]): number {
  return medianOf([...values].sort((a, b) => a - b));
}

/** The value that so many of a hundred do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];
  if (value === undefined) throw new RangeError('There is no percentile of nothing.');
  return value;
}

export function rounded(value: number): number {
  return Number(value.toFixed(keptDecimals));
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('There is no median of nothing.');
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? upper) : upper;
  return (lower + upper) / 2;
}
