import { consistencyCases } from './cases/consistency.ts';
import { freezeCases } from './cases/freeze.ts';
import { killBackupCase } from './cases/kill-backup.ts';
import type { SoakCase } from './soak-case.ts';

export const captureCases: readonly SoakCase[] = [...consistencyCases, killBackupCase, ...freezeCases];
