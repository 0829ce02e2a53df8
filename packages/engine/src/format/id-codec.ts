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

/** The value of a lower-case hexadecimal digit; 255 for anything else. */
const digitValues = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return value === -1 ? 255 : value;
});

/** Turns the 64 hexadecimal digits (as text) at `at` into the 32 bytes of an id; false if they are not an id. */
export function readIdText(text: Uint8Array, at: number, into: Uint8Array, offset = 0): boolean {
  let wrong = 0;
  for (let index = 0; index < idBytes; index += 1) {
    const high = digitValues[text[at + 2 * index] ?? 0] ?? 255;
    const low = digitValues[text[at + 2 * index + 1] ?? 0] ?? 255;
    wrong |= high | low;
    into[offset + index] = high * 16 + low;
  }
  return wrong < 16;
}
