import { FieldReader } from './field-reader.ts';
import { asId, isId } from './id-codec.ts';
import type { SnapshotId, TreeId } from './ids.ts';
import { damaged, decodeJsonObject, encodeJson, type JsonObject } from './json.ts';
import { decodeSummary, encodeSummary, type SnapshotSummary } from './snapshot-summary.ts';
import { formatTimestamp, parseTimestamp, type Timestamp } from './timestamp.ts';

const mostLevels = 64;

/** What a snapshot's file says. */
export interface SnapshotRecord {
  readonly time: Timestamp;
  /** The snapshot that unchanged files were compared with. */
  readonly parent?: SnapshotId | undefined;
  readonly tree: TreeId;
  readonly paths: readonly string[];
  readonly hostname: string;
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly excludes: readonly string[];
  readonly tags: readonly string[];
  /** The first form of a snapshot whose metadata was changed since. */
  readonly original?: SnapshotId | undefined;
  readonly programVersion?: string | undefined;
  readonly summary?: SnapshotSummary | undefined;
  /** Fields that this version does not know: kept when the record is written again. */
  readonly unknownFields?: JsonObject | undefined;
}

export function encodeSnapshot(snapshot: SnapshotRecord): Buffer {
  return encodeJson({
    time: formatTimestamp(snapshot.time),
    parent: snapshot.parent,
    tree: snapshot.tree,
    paths: snapshot.paths,
    hostname: snapshot.hostname || undefined,
    username: snapshot.username || undefined,
    uid: snapshot.uid || undefined,
    gid: snapshot.gid || undefined,
    excludes: nonEmpty(snapshot.excludes),
    tags: nonEmpty(snapshot.tags),
    original: snapshot.original,
    program_version: snapshot.programVersion || undefined,
    summary: snapshot.summary === undefined ? undefined : encodeSummary(snapshot.summary),
    ...snapshot.unknownFields,
  });
}

/** @throws HoldfastError `repository-damaged`; `what` names the snapshot in the message */
export function decodeSnapshot(bytes: Uint8Array, what: string): SnapshotRecord {
  const { time, tree, paths, hostname, username, uid, gid, ...more } = decodeJsonObject(bytes, what);
  const { parent, excludes, tags, original, program_version, summary, ...unknownFields } = more;
  const text = new FieldReader({ time, hostname: hostname ?? '', username: username ?? '' }, what);
  const numbers = new FieldReader({ uid: uid ?? 0, gid: gid ?? 0 }, what);
  const lists = new FieldReader({ tree, paths, excludes, tags }, what);
  const parsedTime = parseTimestamp(text.string('time'));
  if (parsedTime === undefined) throw damaged(what, 'its time is not a time');
  if (isDeeperThan(mostLevels, unknownFields)) throw damaged(what, 'it is nested too deeply');
  return {
    time: parsedTime,
    parent: optionalId(parent, what),
    tree: asId<TreeId>(lists.id('tree')),
    paths: lists.strings('paths'),
    hostname: text.string('hostname'),
    username: text.string('username'),
    uid: numbers.count('uid'),
    gid: numbers.count('gid'),
    excludes: lists.strings('excludes'),
    tags: lists.strings('tags'),
    original: optionalId(original, what),
    programVersion: typeof program_version === 'string' ? program_version : undefined,
    summary: decodeSummary(summary, what),
    unknownFields,
  };
}

/** What is nested deeper could be read, and not be written again. */
function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

function optionalId(value: unknown, what: string): SnapshotId | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isId(value)) throw damaged(what, 'it refers to another snapshot by something that is not an id');
  return asId<SnapshotId>(value);
}

function nonEmpty(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list;
}
