import { type Abortable, HoldfastError, throwIfAborted } from '@holdfast/base';
import type { Backend, TransferOptions } from '../backend/backend.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { sealOverheadBytes } from '../crypto/seal.ts';
import type { WriteOptions } from '../filesystem/write-bytes.ts';
import type { BlobId } from '../format/ids.ts';
import type { BlobLocation } from '../index/blob-index.ts';
import { openBlob } from '../pack/blob-seal.ts';
import { PackBlobCopier } from './blob-copier.ts';
import type { BlobCopier, BlobReader, BlobType } from './blob-store.ts';
import type { IndexStore } from './index-store.ts';
import { PackPages } from './pack-pages.ts';

/** Larger trees are read by themselves. */
const largestPagedBytes = 1024 * 1024;

export interface BlobSourceParts {
  readonly backend: Backend;
  readonly key: MasterKey;
  readonly indexes: IndexStore;
}

/** Reads blobs out of the packs that the index names. */
export class BlobSource implements BlobReader {
  readonly #parts: BlobSourceParts;
  readonly #pages: PackPages;

  constructor(parts: BlobSourceParts) {
    this.#parts = parts;
    this.#pages = new PackPages(parts.backend);
  }

  hasBlob(type: BlobType, id: BlobId): boolean {
    return this.#parts.indexes.current.has(type, id);
  }

  hasBlobBytes(type: BlobType, idBytes: Uint8Array): boolean {
    return this.#parts.indexes.current.hasBytes(type, idBytes);
  }

  blobSizeBytes(type: BlobType, id: BlobId): number | undefined {
    const location = this.#parts.indexes.current.find(type, id);
    return location && (location.uncompressedLength ?? Math.max(0, location.length - sealOverheadBytes));
  }

  async readBlob(type: BlobType, id: BlobId, { signal }: Abortable = {}): Promise<Uint8Array> {
    const locations = this.#parts.indexes.current.findAll(type, id);
    if (locations.length === 0) throw missingBlob(type, id);
    // A blob that is in several packs is damaged only if every copy is.
    for (const location of locations) {
      throwIfAborted(signal);
      const plaintext =
        (await this.#readCopy(id, location, { isMetadata: type === 'tree', signal })) ??
        // What was damaged on its way, or on a cache's disk, may be sound in the repository.
        (await this.#readCopy(id, location, { signal }));
      if (plaintext !== undefined) return plaintext;
    }
    throw damagedBlob(type, id, locations);
  }

  openCopier(options: WriteOptions): BlobCopier {
    return new PackBlobCopier({ ...this.#parts, blobs: this, options });
  }

  async #readCopy(id: BlobId, location: BlobLocation, options: TransferOptions): Promise<Buffer | undefined> {
    const { backend, key } = this.#parts;
    const isPaged = options.isMetadata === true && location.length <= largestPagedBytes;
    const sealed = isPaged
      ? await this.#pages.read(location.packId, location, options)
      : await backend.loadRange({ kind: 'data', id: location.packId }, location, options);
    if (sealed?.length !== location.length) return undefined;
    return openBlob(key, id, { sealed, uncompressedLength: location.uncompressedLength });
  }
}

function missingBlob(type: BlobType, id: BlobId): HoldfastError {
  return new HoldfastError('blob-missing', `No index of the repository names the ${type} blob ${id}.`, {
    hint: 'Check the repository: it names the snapshots that need the blob.',
    context: { type, blobId: id },
  });
}

function damagedBlob(type: BlobType, id: BlobId, locations: readonly BlobLocation[]): HoldfastError {
  return new HoldfastError('blob-damaged', `The ${type} blob ${id} is damaged, or its pack is gone.`, {
    hint: 'Check the repository with its data: that names every file that needs the blob.',
    context: { type, blobId: id, packIds: locations.map(({ packId }) => packId) },
  });
}
