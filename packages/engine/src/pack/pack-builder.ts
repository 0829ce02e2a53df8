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
import type { SlabPool } from './slab-pool.ts';

/** A pack is closed as soon as its blobs take this much, as restic does by default. */
export const targetPackBytes = 16 * 1024 * 1024;

/** Far below the 16 MiB that restic allows a header: tens of thousands of tiny blobs. */
const maxHeaderBytes = 4 * 1024 * 1024;

export interface BuiltPack {
  readonly id: PackId;
  /** The pack's file, in a row: good until `release`. */
  readonly parts: readonly Uint8Array[];
  readonly blobs: readonly PackedBlob[];
  /** Gives the memory of `parts` back, for other packs. */
  readonly release: () => void;
}

/** SHA-256 in hexadecimal. */
export type HashParts = (parts: readonly Uint8Array[]) => string | Promise<string>;

/** Gathers sealed blobs of one type, and puts them one after another with the header behind them. */
export class PackBuilder {
  readonly type: BlobType;
  readonly #file: PartList;
  readonly #blobs: PackedBlob[] = [];
  #headerBytes = 0;

  /** Packs that are built one after another share a pool of memory. */
  constructor(type: BlobType, slabs?: SlabPool) {
    this.type = type;
    this.#file = new PartList(slabs);
  }

  get isEmpty(): boolean {
    return this.#blobs.length === 0;
  }

  get contentBytes(): number {
    return this.#file.totalBytes;
  }

  get isFull(): boolean {
    return this.contentBytes >= targetPackBytes || this.#headerBytes >= maxHeaderBytes;
  }

  /** Copies the blob. Returns the bytes that it takes in the pack, with its entry in the header. */
  append(id: BlobId, { sealed, uncompressedLength }: SealedBlob): number {
    const offset = this.#file.totalBytes;
    this.#file.append(sealed);
    return this.#note({ type: this.type, id, offset, length: sealed.length, uncompressedLength });
  }

  /** Takes over the blobs of another builder of the same type, which is of no use afterwards. */
  absorb(other: PackBuilder): void {
    const start = this.#file.totalBytes;
    for (const part of other.#file.parts()) this.#file.append(part);
    for (const blob of other.#blobs) this.#note({ ...blob, offset: start + blob.offset });
    other.#file.release();
  }

  /** Seals the header, and names the pack by the `hash` of its parts in a row. The builder is of no use afterwards. */
  async finish(key: MasterKey, hash: HashParts = sha256OfParts): Promise<BuiltPack> {
    const header = seal(key, encodePackHeader(this.#blobs));
    const headerLength = Buffer.alloc(headerLengthBytes);
    headerLength.writeUInt32LE(header.length);
    this.#file.append(header);
    this.#file.append(headerLength);
    const parts = this.#file.parts();
    const id = asId<PackId>(await hash(parts));
    return { id, parts, blobs: this.#blobs, release: () => this.#file.release() };
  }

  #note(blob: PackedBlob): number {
    const entryBytes = headerEntryBytes(blob);
    this.#blobs.push(blob);
    this.#headerBytes += entryBytes;
    return blob.length + entryBytes;
  }
}

/** The builders of one type that hold something, as one where that is not too large. */
export function mergeOpen(open: readonly PackBuilder[]): readonly PackBuilder[] {
  const [first, ...others] = open.filter((builder) => !builder.isEmpty);
  if (first === undefined) return [];
  const contentBytes = others.reduce((total, builder) => total + builder.contentBytes, first.contentBytes);
  if (contentBytes > targetPackBytes) return [first, ...others];
  for (const other of others) first.absorb(other);
  return [first];
}
