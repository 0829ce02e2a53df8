import { createHash } from 'node:crypto';
import type { MaintenanceKind } from '../jobs/job-record.ts';
import type { RepositoryCare } from './store.ts';

const dayMs = 24 * 3_600_000;
/** Repositories that were looked after at once drift apart by as much. */
const spreadMs = 2 * 3_600_000;

/**
 * What is to be done for a repository now: an inspection a day, and a prune, at most once a day, where one is wanted. Both
 * are counted from their last end, however that was; the first inspection from when the repository was made.
 */
export function dueCare(care: RepositoryCare, nowMs: number): readonly MaintenanceKind[] {
  const { repositoryId, initializedAtMs, inspectedAtMs, prunedAtMs, pruneWantedAtMs } = care;
  const due: MaintenanceKind[] = [];
  if (nowMs >= (inspectedAtMs ?? initializedAtMs) + dayMs + spreadOf(repositoryId)) due.push('inspect');
  if (pruneWantedAtMs !== null && (prunedAtMs === null || nowMs >= prunedAtMs + dayMs)) due.push('prune');
  return due;
}

/** The same for a repository each time, from 0 to two hours. */
function spreadOf(repositoryId: string): number {
  return createHash('sha256').update(repositoryId).digest().readUInt32BE(0) % spreadMs;
}
