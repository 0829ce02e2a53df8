import { killRestoreCase } from './cases/kills.ts';
import type { SoakCase } from './soak-case.ts';

export const restoreCases: readonly SoakCase[] = [killRestoreCase];
