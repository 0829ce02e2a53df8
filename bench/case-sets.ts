import { captureCases } from './capture-cases.ts';
import { engineCases } from './engine-cases.ts';
import type { BenchCase } from './lib/bench.ts';
import { restoreCases } from './restore-cases.ts';

export interface CaseSet {
  readonly cases: readonly BenchCase[];
  /** Its cases run the programs of `peers/` beside each other. */
  readonly hasPeers: boolean;
}

/** By the name that the command line takes. */
export const caseSets: Readonly<Record<string, CaseSet>> = {
  engine: { cases: engineCases, hasPeers: true },
  capture: { cases: captureCases, hasPeers: false },
  restore: { cases: restoreCases, hasPeers: false },
};
