import type { BlobType } from '../format/blob-type.ts';
import type { BlobId } from '../format/ids.ts';

export interface LostBlob {
  readonly kind: 'blob-missing' | 'blob-damaged' | 'tree-damaged';
  readonly type: BlobType;
  readonly id: BlobId;
  readonly reason: string;
}

/** The blobs of which a check found no sound copy; the first reason found for each counts. */
export class LostBlobs {
  readonly #blobs = new Map<string, LostBlob>();

  get isEmpty(): boolean {
    return this.#blobs.size === 0;
  }

  add(blob: LostBlob): void {
    const key = keyOf(blob.type, blob.id);
    if (!this.#blobs.has(key)) this.#blobs.set(key, blob);
  }

  find(type: BlobType, id: BlobId): LostBlob | undefined {
    return this.#blobs.get(keyOf(type, id));
  }

  all(): Iterable<LostBlob> {
    return this.#blobs.values();
  }
}

function keyOf(type: BlobType, id: BlobId): string {
  return `${type} ${id}`;
}
