import type { BlobType } from './blob-type.ts';
import { FieldReader } from './field-reader.ts';
import { asId } from './id-codec.ts';
import type { BlobId, IndexId, PackId } from './ids.ts';
import { damaged, decodeJsonObject, encodeJson } from './json.ts';
import type { PackedBlob } from './pack-header.ts';

export interface IndexedPack {
  readonly id: PackId;
  readonly blobs: readonly PackedBlob[];
}

/** A file in `index/`: which blobs are where in which packs. */
export interface IndexFile {
  /** Index files whose contents this one carries: they no longer count, even if they still exist. */
  readonly supersedes: readonly IndexId[];
  readonly packs: readonly IndexedPack[];
}

export function encodeIndexFile({ supersedes, packs }: IndexFile): Buffer {
  return encodeJson({
    ...(supersedes.length === 0 ? {} : { supersedes }),
    packs: packs.map((pack) => ({ id: pack.id, blobs: pack.blobs.map(blobObject) })),
  });
}

/** @throws HoldfastError `repository-damaged`; `what` names the file in the message */
export function decodeIndexFile(bytes: Uint8Array, what: string): IndexFile {
  const fields = new FieldReader(decodeJsonObject(bytes, what), what);
  return {
    supersedes: fields.ids('supersedes').map((id) => asId<IndexId>(id)),
    packs: fields.objects('packs').map((pack) => ({
      id: asId<PackId>(pack.id('id')),
      blobs: pack.objects('blobs').map((blob) => readBlob(blob, what)),
    })),
  };
}

function blobObject(blob: PackedBlob): object {
  return {
    id: blob.id,
    type: blob.type,
    offset: blob.offset,
    length: blob.length,
    ...(blob.uncompressedLength === undefined ? {} : { uncompressed_length: blob.uncompressedLength }),
  };
}

function readBlob(fields: FieldReader, what: string): PackedBlob {
  // Go leaves the field out when it is zero.
  const uncompressedLength = fields.has('uncompressed_length') ? fields.count('uncompressed_length') : 0;
  const blob = {
    id: asId<BlobId>(fields.id('id')),
    type: readType(fields.string('type'), what),
    offset: fields.count('offset'),
    length: fields.count('length'),
    uncompressedLength: uncompressedLength === 0 ? undefined : uncompressedLength,
  };
  if (Math.max(blob.offset, blob.length, uncompressedLength) > 0xffff_ffff) {
    throw damaged(what, 'a blob in it is larger than a pack can be');
  }
  return blob;
}

function readType(type: string, what: string): BlobType {
  if (type === 'data' || type === 'tree') return type;
  throw damaged(what, 'a blob in it has an unknown type');
}
