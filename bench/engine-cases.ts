import { firstBackupCases } from './cases/first-backup.ts';
import { maintenanceCases } from './cases/maintenance.ts';
import { memoryCases } from './cases/memory.ts';
import { restoreCases } from './cases/restore.ts';
import { s3Cases } from './cases/s3.ts';
import { scaleCases } from './cases/scale.ts';
import { unchangedCases } from './cases/unchanged.ts';
import type { BenchCase } from './lib/bench.ts';

/** In the order in which they run and are recorded. */
export const engineCases: readonly BenchCase[] = [
  ...firstBackupCases,
  ...unchangedCases,
  ...restoreCases,
  ...maintenanceCases,
  ...s3Cases,
  ...memoryCases,
  ...scaleCases,
];
