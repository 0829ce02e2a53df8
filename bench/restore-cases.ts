import { downloadCases } from './cases/download.ts';
import { restoreEmptyCases } from './cases/restore-empty.ts';
import { restoreInPlaceCases } from './cases/restore-in-place.ts';
import type { BenchCase } from './lib/bench.ts';

/** In the order in which they run and are recorded. */
export const restoreCases: readonly BenchCase[] = [
  ...restoreInPlaceCases,
  ...restoreEmptyCases,
  ...downloadCases,
];
