import { encodeSummary, formatTimestamp, type Snapshot } from '@holdfast/engine';

/** A snapshot as restic's `snapshots --json` has it. */
export function snapshotJson(snapshot: Snapshot): object {
  return {
    time: formatTimestamp(snapshot.time),
    ...(snapshot.parent === undefined ? {} : { parent: snapshot.parent }),
    tree: snapshot.tree,
    paths: snapshot.paths,
    ...(snapshot.hostname === '' ? {} : { hostname: snapshot.hostname }),
    ...(snapshot.username === '' ? {} : { username: snapshot.username }),
    ...(snapshot.uid === 0 ? {} : { uid: snapshot.uid }),
    ...(snapshot.gid === 0 ? {} : { gid: snapshot.gid }),
    ...(snapshot.excludes.length === 0 ? {} : { excludes: snapshot.excludes }),
    ...(snapshot.tags.length === 0 ? {} : { tags: snapshot.tags }),
    ...(snapshot.original === undefined ? {} : { original: snapshot.original }),
    ...(snapshot.programVersion === undefined ? {} : { program_version: snapshot.programVersion }),
    ...(snapshot.summary === undefined ? {} : { summary: encodeSummary(snapshot.summary) }),
    id: snapshot.id,
    short_id: snapshot.id.slice(0, 8),
  };
}
