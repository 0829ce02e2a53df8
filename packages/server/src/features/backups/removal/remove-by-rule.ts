import type { Clock } from '@holdfast/base';
import type { RemovalService, RemoveOutcome, RemoveRequest } from './removal-service.ts';

/** Undefined where the same was asked for lately: it has failed, or is under way. */
export type RemoveByRule = (request: RemoveRequest) => Promise<RemoveOutcome | undefined>;

interface Tried {
  readonly ids: string;
  readonly atMs: number;
}

const removeAgainMs = 3_600_000;

/** What no rule keeps is removed; where that fails, the same is tried again after a while. */
export function createRemoveByRule(
  removals: Pick<RemovalService, 'removeBackups'>,
  clock: Clock,
): RemoveByRule {
  const tried = new Map<string, Tried>();
  return async (request) => {
    const { environmentId, backupIds } = request;
    if (backupIds.length === 0) return undefined;
    const ids = backupIds.join();
    const last = tried.get(environmentId);
    if (last?.ids === ids && clock.elapsed() - last.atMs < removeAgainMs) return undefined;
    const outcome = await removals.removeBackups(request);
    if (outcome.kind !== 'busy') tried.set(environmentId, { ids, atMs: clock.elapsed() });
    return outcome;
  };
}
