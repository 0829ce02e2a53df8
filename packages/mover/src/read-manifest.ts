import { type Abortable, isHoldfastError } from '@holdfast/base';
import { type BlobReader, findNode, readFileContent, type Snapshot, toByteString } from '@holdfast/engine';
import { type Manifest, manifestSchema, snapshotTags } from '@holdfast/protocol';

export interface ReadManifest {
  readonly manifest: Manifest;
  readonly manifestSnapshotId: string;
}

/** What is wrong with one, as the end of a sentence about it. */
export interface UnreadableManifest {
  readonly problem: string;
}

/** Far above what any backup has to say, and what one event may be. */
const maxManifestBytes = 32 * 1024 * 1024;

/** The manifest that a snapshot holds. Nothing in it is taken for true before all of it has the shape of one. */
export async function readManifest(
  snapshot: Snapshot,
  blobs: BlobReader,
  options: Abortable,
): Promise<ReadManifest | UnreadableManifest> {
  const read = await readText(snapshot, blobs, options);
  if (typeof read !== 'string') return read;
  const parsed = manifestSchema.safeParse(parseJson(read));
  if (!parsed.success) return { problem: 'is none that this version of Holdfast knows.' };
  const manifest = parsed.data;
  if (!snapshot.tags.includes(snapshotTags.ofBackup(manifest.backupId))) {
    return { problem: `is of the backup ${manifest.backupId}, and its tags say otherwise.` };
  }
  return { manifest, manifestSnapshotId: snapshot.id };
}

async function readText(
  { tree }: Snapshot,
  blobs: BlobReader,
  options: Abortable,
): Promise<string | UnreadableManifest> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    const node = await findNode(blobs, tree, [toByteString('manifest.json')], options);
    for await (const chunk of readFileContent({ blobs, node, ...options })) {
      bytes += chunk.length;
      if (bytes > maxManifestBytes) return { problem: 'is far too large.' };
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    if (isHoldfastError(error, 'blob-missing', 'blob-damaged', 'path-unknown', 'repository-damaged')) {
      return { problem: `cannot be read: ${error.message}` };
    }
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
