import { sha256OfParts } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { seal } from '../crypto/seal.ts';
import type { BlobType } from '../format/blob-type.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId, PackId } from '../format/ids.ts';
import {
  encodePackHeader,
  headerEntryBytes,
  headerLengthBytes,
  type PackedBlob,
} from '../format/pack-header.ts';
import type { SealedBlob } from './blob-seal.ts';
import { PartList } from './part-list.ts';

/** A pack is closed as soon as its blobs take this much, as restic does by default. */
export const targetPackBytes = 16 * 1024 * 1024;

/** Far below the 16 MiB that restic allows a header: tens of thousands of tiny blobs. */
const maxHeaderBytes = 4 * 1024 * 1024;

export interface BuiltPack {
  readonly id: PackId;
  /** The pack's file, in a row. */
  readonly parts: readonly Uint8Array[];
  readonly blobs: readonly PackedBlob[];
}

/** Gathers sealed blobs of one type, and puts them one after another with the header behind them. */
export class PackBuilder {
  readonly type: BlobType;
  readonly #blobs: (SealedBlob & { readonly id: BlobId })[] = [];
  #contentBytes = 0;
  #headerBytes = 0;

  constructor(type: BlobType) {
    this.type = type;
  }

  get isEmpty(): boolean {
    return this.#blobs.length === 0;
  }

  get contentBytes(): number {
    return this.#contentBytes;
  }

  get isFull(): boolean {
    return this.#contentBytes >= targetPackBytes || this.#headerBytes >= maxHeaderBytes;
  }

  /** Returns the bytes that it takes in the pack, with its entry in the header. */
  append(id: BlobId, { sealed, uncompressedLength }: SealedBlob): number {
    const entryBytes = headerEntryBytes({ uncompressedLength });
    this.#blobs.push({ id, sealed, uncompressedLength });
    this.#contentBytes += sealed.length;
    this.#headerBytes += entryBytes;
    return sealed.length + entryBytes;
  }

  /** Takes over the blobs of another builder of the same type, which is of no use afterwards. */
  absorb(other: PackBuilder): void {
    for (const blob of other.#blobs) this.append(blob.id, blob);
  }

  /** Seals the header. The builder is of no use afterwards. */
  finish(key: MasterKey): BuiltPack {
    const file = new PartList();
    const blobs = this.#blobs.map(({ id, sealed, uncompressedLength }): PackedBlob => {
      const offset = file.totalBytes;
      file.append(sealed);
      return { type: this.type, id, offset, length: sealed.length, uncompressedLength };
    });
    const header = seal(key, encodePackHeader(blobs));
    const headerLength = Buffer.alloc(headerLengthBytes);
    headerLength.writeUInt32LE(header.length);
    file.append(header);
    file.append(headerLength);
    const parts = file.parts();
    return { id: asId<PackId>(sha256OfParts(parts)), parts, blobs };
  }
}
