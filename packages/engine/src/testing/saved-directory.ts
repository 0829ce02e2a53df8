import type { SnapshotId, TreeId } from '../format/ids.ts';
import { encodeJson } from '../format/json.ts';
import type { SnapshotRecord } from '../format/snapshot-file.ts';
import type { BlobWriter } from '../repository/blob-store.ts';
import type { Repository } from '../repository/repository.ts';
import { snapshotOf } from './test-repository.ts';

/** A directory: names with the contents of a file, in chunks, or with another directory. */
export interface SavedDirectory {
  readonly [name: string]: Buffer | readonly Buffer[] | SavedDirectory;
}

const time = '2026-01-01T00:00:00Z';
const common = { mode: 420, mtime: time, atime: time, ctime: time, uid: 0, gid: 0 };

export async function saveDirectory(writer: BlobWriter, directory: SavedDirectory): Promise<TreeId> {
  const nodes = [];
  for (const [name, entry] of Object.entries(directory).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (Buffer.isBuffer(entry) || Array.isArray(entry)) {
      const chunks: readonly Buffer[] = Buffer.isBuffer(entry) ? [entry] : entry;
      const content = [];
      for (const chunk of chunks) content.push((await writer.saveBlob('data', chunk)).id);
      const size = chunks.reduce((total, chunk) => total + chunk.length, 0);
      nodes.push({ name, type: 'file', ...common, size, links: 1, content });
    } else {
      const subtree = await saveDirectory(writer, entry as SavedDirectory);
      nodes.push({ name, type: 'dir', ...common, content: null, subtree });
    }
  }
  return (await writer.saveBlob('tree', Buffer.concat([encodeJson({ nodes }), Buffer.from('\n')]))).id;
}

/** A backup of the directory: its blobs, their index, and the snapshot. */
export async function saveSnapshot(
  repository: Repository,
  directory: SavedDirectory,
  fields: Partial<SnapshotRecord> = {},
): Promise<SnapshotId> {
  await using lock = await repository.lock('shared');
  await using writer = await repository.openWriter({ lock });
  const tree = await saveDirectory(writer, directory);
  await writer.flush();
  return (await repository.snapshots.save(snapshotOf(tree, fields), { lock })).id;
}
