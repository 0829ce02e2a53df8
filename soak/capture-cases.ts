import { consistencyCases } from './cases/consistency.ts';
import { freezeCases } from './cases/freeze.ts';
import { killCases } from './cases/kills.ts';
import { longOutputCase } from './cases/long-output.ts';
import type { SoakCase } from './soak-case.ts';

export const captureCases: readonly SoakCase[] = [
  ...consistencyCases,
  longOutputCase,
  ...killCases,
  ...freezeCases,
];
