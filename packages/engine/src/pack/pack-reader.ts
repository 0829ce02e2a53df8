import type { Abortable } from '@holdfast/base';
import type { Backend, ByteRange } from '../backend/backend.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { sealOverheadBytes, unseal } from '../crypto/seal.ts';
import type { PackId } from '../format/ids.ts';
import { damaged } from '../format/json.ts';
import { decodePackHeader, headerLengthBytes, type PackedBlob } from '../format/pack-header.ts';

/** restic's own limit. */
const maxSealedHeaderBytes = 16 * 1024 * 1024;

export interface PackToRead {
  readonly id: PackId;
  readonly sizeBytes: number;
}

/**
 * The blobs that the pack itself says it holds, read from its end.
 * @throws HoldfastError `repository-damaged` when the pack has no sound header
 */
export async function readPackHeader(
  backend: Backend,
  key: MasterKey,
  pack: PackToRead,
  { signal }: Abortable = {},
): Promise<PackedBlob[]> {
  const what = `pack ${pack.id}`;
  const readRange = async (range: ByteRange): Promise<Buffer> => {
    const bytes = await backend.loadRange({ kind: 'data', id: pack.id }, range, { signal });
    if (bytes?.length !== range.length) throw damaged(what, 'its end cannot be read');
    return bytes;
  };
  if (pack.sizeBytes < headerLengthBytes) throw damaged(what, 'it is too short to be one');
  const lengthOffset = pack.sizeBytes - headerLengthBytes;
  const tail = await readRange({ offset: lengthOffset, length: headerLengthBytes });
  const headerBytes = tail.readUInt32LE();
  if (headerBytes < sealOverheadBytes || headerBytes > Math.min(lengthOffset, maxSealedHeaderBytes)) {
    throw damaged(what, 'the length of its header is impossible');
  }
  const sealed = await readRange({ offset: lengthOffset - headerBytes, length: headerBytes });
  return openPackHeader(key, sealed, { id: pack.id, contentBytes: lengthOffset - headerBytes });
}

/**
 * The same, from a pack that is in memory.
 * @throws HoldfastError `repository-damaged` when the pack has no sound header
 */
export function parsePackHeader(key: MasterKey, id: PackId, pack: Buffer): PackedBlob[] {
  const lengthOffset = pack.length - headerLengthBytes;
  const headerBytes = lengthOffset < 0 ? -1 : pack.readUInt32LE(lengthOffset);
  if (headerBytes < sealOverheadBytes || headerBytes > lengthOffset) {
    throw damaged(`pack ${id}`, 'the length of its header is impossible');
  }
  const contentBytes = lengthOffset - headerBytes;
  return openPackHeader(key, pack.subarray(contentBytes, lengthOffset), { id, contentBytes });
}

function openPackHeader(
  key: MasterKey,
  sealed: Buffer,
  pack: { readonly id: PackId; readonly contentBytes: number },
): PackedBlob[] {
  const header = unseal(key, sealed);
  if (header === undefined) throw damaged(`pack ${pack.id}`, 'its header does not prove to be genuine');
  const blobs = decodePackHeader(header);
  const last = blobs.at(-1);
  if ((last === undefined ? 0 : last.offset + last.length) !== pack.contentBytes) {
    throw damaged(`pack ${pack.id}`, 'its header does not describe all of it');
  }
  return blobs;
}
