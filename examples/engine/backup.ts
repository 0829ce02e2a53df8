/** Backs up directories as one snapshot, and prints its id: `RESTIC_PASSWORD=… node backup.ts REPOSITORY PATH…` */
import { resolve } from 'node:path';
import {
  backupSources,
  localTimestamp,
  openBackend,
  openRepository,
  sourcesFromArguments,
  systemRuntime,
} from '@holdfast/engine';

const [location = '', ...paths] = process.argv.slice(2);
const repository = await openRepository({
  backend: openBackend(location),
  password: process.env.RESTIC_PASSWORD ?? '',
});
await using lock = await repository.lock('shared');

// Files that did not change since the last snapshot of these paths are not read again.
const absolutePaths = paths.map((path) => resolve(path));
const { snapshots } = await repository.snapshots.list({ paths: absolutePaths });
const parent = snapshots.at(-1);
const startedAtMs = Date.now();

await using writer = await repository.openWriter({ lock });
const { treeId, summary, warnings } = await backupSources({
  writer,
  blobs: repository.blobs,
  polynomial: repository.polynomial,
  sources: sourcesFromArguments(paths),
  parent: parent && {
    treeId: parent.tree,
    startedAtMs: Number(parent.time.epochNs / 1_000_000n),
  },
});
for (const { path, message } of warnings) process.stderr.write(`${path}: ${message}\n`);

// Packs and their index first; only then the snapshot that needs them.
await writer.flush();
const { hostname, username, uid, gid } = systemRuntime().identity;
const snapshot = await repository.snapshots.save(
  {
    time: localTimestamp(BigInt(startedAtMs) * 1_000_000n),
    parent: parent?.id,
    tree: treeId,
    paths: absolutePaths,
    hostname,
    username,
    uid,
    gid,
    excludes: [],
    tags: ['example'],
  },
  { lock },
);
process.stderr.write(`${summary.files} files, ${summary.bytes} bytes, ${summary.storedBytes} added\n`);
process.stdout.write(`${snapshot.id}\n`);
