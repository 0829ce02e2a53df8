import type { ByteString } from './byte-string.ts';
import { asId, idBytes, isId, readIdText } from './id-codec.ts';
import type { TreeId } from './ids.ts';

/** One or more nodes in a row, as the plaintext of a tree blob has them: `bytes` from `start` to `end`. */
export interface EncodedNode {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly firstName: ByteString;
  readonly lastName: ByteString;
}

const idLength = 64;
const codeOf = (character: string): number => character.charCodeAt(0);
const comma = codeOf(',');
const quote = codeOf('"');

/** Takes the 32 bytes of a chunk's id, which are good until it returns. */
export type IsKnown = (chunkId: Uint8Array) => boolean;

const chunkId = Buffer.alloc(idBytes);

/**
 * Reads the content of a file's node and the node's end, as `NodeEncoder` writes them. Returns the offset behind them;
 * -1 for anything else, and when `isKnown` is false for one of its chunks.
 */
export function endOfFile(bytes: Buffer, at: number, isKnown: IsKnown): number {
  const start = skip(bytes, at, ',"content":[');
  if (start === -1) return -1;
  let end = start;
  while (bytes[end] === quote) {
    const isChunk = readIdText(bytes, end + 1, chunkId) && bytes[end + 1 + idLength] === quote;
    if (!isChunk || !isKnown(chunkId)) return -1;
    end += idLength + 2;
    if (bytes[end] !== comma) return skip(bytes, end, ']}');
    end += 1;
  }
  return end === start ? skip(bytes, end, ']}') : -1;
}

/** The same for a node that is neither a file nor a directory. */
export function endOfOther(bytes: Buffer, at: number): number {
  return skip(bytes, at, ',"content":null}');
}

/** The same for a directory, with the tree that it has; undefined for anything else. */
export function endOfDirectory(
  bytes: Buffer,
  at: number,
): { readonly end: number; readonly subtree: TreeId } | undefined {
  const start = skip(bytes, at, ',"content":null,"subtree":');
  const subtree = start === -1 ? undefined : idAt(bytes, start);
  if (subtree === undefined) return undefined;
  const end = skip(bytes, start + idLength + 2, '}');
  return end === -1 ? undefined : { end, subtree };
}

const subtreeKey = Buffer.from('"subtree":');

/** The first directory's tree that is named at or after that offset, and where; undefined if there is none. */
export function findSubtree(
  bytes: Buffer,
  from: number,
): { readonly at: number; readonly subtree: TreeId } | undefined {
  // Within a text every quote has a backslash before it, so that this is the key and nothing else.
  for (let at = bytes.indexOf(subtreeKey, from); at !== -1; at = bytes.indexOf(subtreeKey, at + 1)) {
    const subtree = idAt(bytes, at + subtreeKey.length);
    if (subtree !== undefined) return { at, subtree };
  }
  return undefined;
}

/** The id in quotes at that place. */
function idAt(bytes: Buffer, at: number): TreeId | undefined {
  const end = at + 1 + idLength;
  if (bytes[at] !== quote || bytes[end] !== quote) return undefined;
  const text = bytes.toString('latin1', at + 1, end);
  return isId(text) ? asId<TreeId>(text) : undefined;
}

/** The offset behind the text, if it is there; else -1. */
function skip(bytes: Buffer, at: number, text: string): number {
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[at + index] !== text.charCodeAt(index)) return -1;
  }
  return at + text.length;
}
