import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';

/** How many chunks are fetched before they are asked for. */
const chunksAhead = 8;

export interface ReadFileRequest extends Abortable {
  readonly blobs: BlobReader;
  /** Of a regular file. */
  readonly node: Node;
}

/**
 * A file's content, chunk by chunk, each proven to be what was saved.
 * @throws HoldfastError `blob-missing`, `blob-damaged`
 */
export async function* readFileContent({
  blobs,
  node,
  signal,
}: ReadFileRequest): AsyncGenerator<Uint8Array, void> {
  const ids = node.content ?? [];
  const reads: Promise<Uint8Array>[] = [];
  for (const [position] of ids.entries()) {
    throwIfAborted(signal);
    for (const id of ids.slice(position + reads.length, position + chunksAhead)) {
      const read = blobs.readBlob('data', id, { signal });
      // Whoever stops before its turn does not want it.
      read.catch(() => {});
      reads.push(read);
    }
    const chunk = await reads.shift();
    if (chunk !== undefined) yield chunk;
  }
}
