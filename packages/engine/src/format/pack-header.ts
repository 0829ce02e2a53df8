import type { BlobType } from './blob-type.ts';
import { idBytes, idFromBytes } from './id-codec.ts';
import type { BlobId } from './ids.ts';
import { damaged } from './json.ts';

/** A blob as a pack's header and an index describe it. */
export interface PackedBlob {
  readonly type: BlobType;
  readonly id: BlobId;
  /** Where its sealed bytes begin in the pack. */
  readonly offset: number;
  /** Bytes in the pack, with nonce and MAC. */
  readonly length: number;
  /** Length of the plaintext, if it is compressed; undefined if it is stored as it is. */
  readonly uncompressedLength: number | undefined;
}

/** Bytes of the header's length at the very end of a pack: unsigned, little-endian. */
export const headerLengthBytes = 4;

/** What a pack has beside its blobs and their entries: the header's nonce, MAC and length. */
export const emptyPackBytes = 32 + headerLengthBytes;

const plainEntryBytes = 1 + 4 + idBytes;
const compressedEntryBytes = plainEntryBytes + 4;
const treeBit = 1;
const compressedBit = 2;

/** Bytes that the blob's entry takes in the header. */
export function headerEntryBytes(blob: Pick<PackedBlob, 'uncompressedLength'>): number {
  return blob.uncompressedLength === undefined ? plainEntryBytes : compressedEntryBytes;
}

/** The header's plaintext. `blobs` are in the order of their offsets, without gaps. */
export function encodePackHeader(blobs: readonly PackedBlob[]): Buffer {
  const header = Buffer.alloc(blobs.reduce((total, blob) => total + headerEntryBytes(blob), 0));
  let at = 0;
  for (const blob of blobs) {
    const compressed = blob.uncompressedLength !== undefined;
    at = header.writeUInt8((blob.type === 'tree' ? treeBit : 0) | (compressed ? compressedBit : 0), at);
    at = header.writeUInt32LE(blob.length, at);
    if (blob.uncompressedLength !== undefined) at = header.writeUInt32LE(blob.uncompressedLength, at);
    at += header.write(blob.id, at, 'hex');
  }
  return header;
}

/** The inverse of `encodePackHeader`. @throws HoldfastError `repository-damaged` */
export function decodePackHeader(header: Buffer): PackedBlob[] {
  const blobs: PackedBlob[] = [];
  let offset = 0;
  let at = 0;
  while (at < header.length) {
    const kind = header.readUInt8(at);
    if (kind > (treeBit | compressedBit)) throw damaged('pack header', `blob type ${kind} is unknown`);
    const compressed = (kind & compressedBit) !== 0;
    const entryEnd = at + (compressed ? compressedEntryBytes : plainEntryBytes);
    if (entryEnd > header.length) throw damaged('pack header', 'its last entry is cut off');
    const length = header.readUInt32LE(at + 1);
    blobs.push({
      type: (kind & treeBit) !== 0 ? 'tree' : 'data',
      id: idFromBytes<BlobId>(header, entryEnd - idBytes),
      offset,
      length,
      uncompressedLength: compressed ? header.readUInt32LE(at + 5) : undefined,
    });
    offset += length;
    at = entryEnd;
  }
  return blobs;
}
