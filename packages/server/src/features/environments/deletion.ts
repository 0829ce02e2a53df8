import { HoldfastError } from '@holdfast/base';
import type { Deletion } from '@holdfast/protocol';
import type { EnvironmentRecord } from './environment-record.ts';

/** How long a deletion can be taken back before anything goes. */
export const deletionGraceMs = 7 * 24 * 3_600_000;

export function deletionOf(deletedAtMs: number): Deletion {
  return { atMs: deletedAtMs, untilMs: deletedAtMs + deletionGraceMs };
}

/** @throws HoldfastError `environment-deleted` */
export function requireNotDeleted({
  id,
  name,
  deletedAtMs,
}: Pick<EnvironmentRecord, 'id' | 'name' | 'deletedAtMs'>): void {
  if (deletedAtMs === null) return;
  throw new HoldfastError('environment-deleted', `The environment (Compose project) ${name} was deleted.`, {
    hint: `Take that back: holdfast environment:undelete ${name}.`,
    context: { environmentId: id, deletedAtMs },
  });
}
