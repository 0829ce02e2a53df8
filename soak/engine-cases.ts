import { corruptionCase } from './cases/corruption.ts';
import { crashCase } from './cases/crash.ts';
import { faultsCase } from './cases/faults.ts';
import { fuzzCase } from './cases/fuzz.ts';
import type { SoakCase } from './soak-case.ts';

export const engineCases: readonly SoakCase[] = [faultsCase, corruptionCase, fuzzCase, crashCase];
