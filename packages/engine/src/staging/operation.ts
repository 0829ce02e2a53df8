import type { InodeMetadata } from '../filesystem/inode-metadata.ts';
import type { ByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';

/** An entry of the target and an entry of the staging folder change places; either may be none. */
export interface SwapOperation {
  readonly kind: 'swap';
  /** Names from the root of the staging down to the entry. */
  readonly components: readonly ByteString[];
  /** Its name in the staging folder, before and after. */
  readonly staged: ByteString;
  /** Inode of what is there; undefined for nothing. */
  readonly old: bigint | undefined;
  /** Inode of what is to be there; undefined for nothing. */
  readonly new: bigint | undefined;
}

/** What an inode that stays has beside its content. For a directory it comes after all that is in it. */
export interface MetadataOperation {
  readonly kind: 'metadata';
  /** None for the root itself. */
  readonly components: readonly ByteString[];
  readonly old: InodeMetadata;
  readonly new: InodeMetadata;
}

export type Operation = SwapOperation | MetadataOperation;

/** One line of JSON, without its end. Byte strings are one character a byte. */
export function encodeOperation(operation: Operation): string {
  const { components } = operation;
  if (operation.kind === 'swap') {
    const { staged, old, new: next } = operation;
    return JSON.stringify({ swap: components, staged, old: textOf(old), new: textOf(next) });
  }
  return JSON.stringify({
    metadata: components,
    old: encodeMetadata(operation.old),
    new: encodeMetadata(operation.new),
  });
}

interface SwapLine {
  readonly swap: readonly ByteString[];
  readonly staged: ByteString;
  readonly old: string | null;
  readonly new: string | null;
}

interface MetadataLine {
  readonly metadata: readonly ByteString[];
  readonly old: EncodedMetadata;
  readonly new: EncodedMetadata;
}

/** Of a line that `encodeOperation` made: the journal is in a folder that only its owner may enter. */
export function decodeOperation(line: string): Operation {
  const parsed = JSON.parse(line) as SwapLine | MetadataLine;
  if ('swap' in parsed) {
    const { swap, staged, old, new: next } = parsed;
    return { kind: 'swap', components: swap, staged, old: inodeOf(old), new: inodeOf(next) };
  }
  const { metadata, old, new: next } = parsed;
  return { kind: 'metadata', components: metadata, old: decodeMetadata(old), new: decodeMetadata(next) };
}

type EncodedMetadata = Omit<InodeMetadata, 'extendedAttributes'> & {
  readonly attributes: readonly (readonly [ByteString, string])[];
};

function encodeMetadata({ extendedAttributes, ...metadata }: InodeMetadata): EncodedMetadata {
  const { type, mode, uid, gid } = metadata;
  const accessedAt = timeOf(metadata.accessedAt);
  const modifiedAt = timeOf(metadata.modifiedAt);
  const attributes = extendedAttributes.map(
    ({ name, value }) => [name, Buffer.from(value).toString('base64')] as const,
  );
  return { type, mode, uid, gid, accessedAt, modifiedAt, attributes };
}

function decodeMetadata({ attributes, ...metadata }: EncodedMetadata): InodeMetadata {
  const extendedAttributes = attributes.map(([name, value]) => ({
    name,
    value: Buffer.from(value, 'base64'),
  }));
  return { ...metadata, extendedAttributes };
}

function timeOf({ seconds, nanoseconds }: FileTime): FileTime {
  return { seconds, nanoseconds };
}

function textOf(inode: bigint | undefined): string | null {
  return inode === undefined ? null : inode.toString();
}

function inodeOf(text: string | null): bigint | undefined {
  return text === null ? undefined : BigInt(text);
}
