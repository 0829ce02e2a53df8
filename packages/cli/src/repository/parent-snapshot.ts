import type { Abortable } from '@holdfast/base';
import type { ParentBackup, Repository, Snapshot } from '@holdfast/engine';
import { InvalidArgumentError } from 'commander';

/** By what snapshots belong together. */
export type GroupField = 'host' | 'paths' | 'tags';

const groupFields: ReadonlySet<string> = new Set<GroupField>(['host', 'paths', 'tags']);

/** `host,paths,tags` or less; nothing puts all snapshots together. */
export function groupBy(value: string): readonly GroupField[] {
  const names = value.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !groupFields.has(name));
  if (unknown !== undefined) throw new InvalidArgumentError('Any of host, paths and tags are expected.');
  return names as GroupField[];
}

export interface ParentRequest extends Abortable {
  readonly groupBy: readonly GroupField[];
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
  /** Nanoseconds since the epoch: the parent is not newer. */
  readonly notAfterNs: bigint;
}

/** The latest snapshot of the same host, with all of these paths and tags, as far as `groupBy` names them; one that cannot be read only costs time, and is passed over. */
export async function latestOfGroup(
  repository: Repository,
  request: ParentRequest,
): Promise<Snapshot | undefined> {
  const { signal } = request;
  const { snapshots } = await repository.snapshots.list({ signal });
  return snapshots.findLast((snapshot) => isOfGroup(snapshot, request));
}

/** What a backup has to know of the snapshot that it compares with. */
export function parentBackup({ summary, time, tree }: Snapshot): ParentBackup {
  // A snapshot's own time may have been given by the user.
  const { epochNs } = summary?.backupStart ?? time;
  return { treeId: tree, startedAtMs: Number(epochNs / 1_000_000n) };
}

function isOfGroup(snapshot: Snapshot, request: ParentRequest): boolean {
  const { groupBy: fields, hostname, notAfterNs, paths, tags } = request;
  return (
    snapshot.time.epochNs <= notAfterNs &&
    (!fields.includes('host') || snapshot.hostname === hostname) &&
    (!fields.includes('paths') || paths.every((path) => snapshot.paths.includes(path))) &&
    (!fields.includes('tags') || tags.every((tag) => snapshot.tags.includes(tag)))
  );
}
