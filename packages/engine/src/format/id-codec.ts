import type { BlobId, IndexId, KeyId, LockId, PackId, SnapshotId } from './ids.ts';

type AnyId = BlobId | PackId | IndexId | SnapshotId | KeyId | LockId;

export const idBytes = 32;

/** True for 64 lower-case hexadecimal digits: the name of a repository's file, or a blob's id. */
export function isId(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);
}

/** Gives an id its type. Only for text that `isId`, or that a hash function just returned. */
export function asId<Id extends AnyId>(text: string): Id {
  return text as Id;
}

/** The hexadecimal form of the 32 bytes at `offset`. */
export function idFromBytes<Id extends AnyId>(bytes: Uint8Array, offset = 0): Id {
  return asId(Buffer.from(bytes.buffer, bytes.byteOffset + offset, idBytes).toString('hex'));
}
