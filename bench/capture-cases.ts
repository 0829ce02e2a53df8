import { freezeCases } from './cases/freeze.ts';
import { freezePostgresCases } from './cases/freeze-postgres.ts';
import { gateCases } from './cases/gate.ts';
import { precopyCases } from './cases/precopy.ts';
import type { BenchCase } from './lib/bench.ts';

/** In the order in which they run and are recorded. */
export const captureCases: readonly BenchCase[] = [
  ...freezeCases,
  ...freezePostgresCases,
  ...precopyCases,
  ...gateCases,
];
