import { createHash } from 'node:crypto';
import type { Snapshot } from '@holdfast/engine';
import {
  type AdoptTask,
  type BackupId,
  backupIdSchema,
  type Manifest,
  type SealedPart,
  snapshotTags,
} from '@holdfast/protocol';

/** Longest description of a backup. */
const maxDescription = 1000;

/** Whether stock restic has made it: ours say what they are by their tags. */
export function isStock({ tags }: Snapshot): boolean {
  const ours = [snapshotTags.part, snapshotTags.manifest, snapshotTags.ofBackup('')];
  return !tags.some((tag) => ours.some((own) => tag.startsWith(own)));
}

/** Always the same for the same snapshot: by it, one is known that was adopted before. */
export function adoptedId({ environment }: Pick<AdoptTask, 'environment'>, { id }: Snapshot): BackupId {
  const digest = createHash('sha256').update(`${environment.id}/${id}`).digest('hex');
  const digits = (BigInt(`0x${digest}`) % 36n ** 16n).toString(36).padStart(16, '0');
  return backupIdSchema.parse(`bak_${digits}`);
}

/** As a person knows it again: `restic 1a2b3c4d of laptop: /home/me (daily)`. */
export function describeSnapshot({ id, hostname, paths, tags }: Snapshot): string {
  const labels = tags.length === 0 ? '' : ` (${tags.join(', ')})`;
  const text = `restic ${id.slice(0, 8)} of ${hostname || 'an unknown host'}: ${paths.join(', ')}${labels}`;
  return text.length <= maxDescription ? text : `${text.slice(0, maxDescription - 1)}…`;
}

/** All of its manifest that the snapshot itself tells. */
export function adoptedManifest(
  { environment, createdBy }: Pick<AdoptTask, 'environment' | 'createdBy'>,
  snapshot: Snapshot,
  { parts, nowMs }: { readonly parts: readonly SealedPart[]; readonly nowMs: number },
): Manifest {
  const createdAtMs = timeMs(snapshot.time);
  const end = snapshot.summary?.backupEnd;
  return {
    version: 1,
    revision: 1,
    backupId: adoptedId({ environment }, snapshot),
    kind: 'imported',
    // Nobody can tell whether what it holds was of one moment.
    mode: 'live',
    description: describeSnapshot(snapshot),
    environment,
    createdAtMs,
    finishedAtMs: Math.max(createdAtMs, end === undefined ? 0 : timeMs(end)),
    expiresAtMs: null,
    createdBy,
    policy: null,
    pinReason: null,
    parts: [...parts],
    capture: { frozenMs: null, requestsHeld: null, longestWaitMs: null, unsteadyFiles: 0 },
    log: [{ timeMs: nowMs, level: 'info', message: `Adopted: the snapshot ${snapshot.id} of stock restic` }],
  };
}

/** Times before 1970 are none of a backup. */
export function timeMs({ epochNs }: Snapshot['time']): number {
  return Math.max(0, Number(epochNs / 1_000_000n));
}
