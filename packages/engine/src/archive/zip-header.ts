import { type ByteString, byteStringToBytes, isUtf8 } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { permissionsOf, unixMode } from '../format/go-file-mode.ts';
import type { ArchiveItem, ArchiveRules } from './archive-items.ts';

/** A zip archive in the words of PKWARE's APPNOTE 6.3, with the fields that Info-ZIP added for Unix. */

const stored = 0;
const deflated = 8;
/** On Unix, by version 4.5 of the specification: the first with sizes of eight bytes. */
const madeBy = (3 << 8) | 45;
const versions = { usual: 20, zip64: 45 } as const;
const flags = { lengthsFollow: 1 << 3, utf8Name: 1 << 11 } as const;
const zip64Field = 0x0001;
const timesField = 0x5455;
const ownersField = 0x7875;
const beyond16 = 0xffff;
const beyond32 = 0xffff_ffff;
/** A content of this length may be packed into more than four bytes can count. */
const zip64ContentBytes = 0xf000_0000;
const directoryAttribute = 0x10;
const mostPathBytes = 0xffff - 1;

type ZipItem = Pick<ArchiveItem, 'path' | 'node'>;

/**
 * Files, directories and symbolic links; no hard links. An entry keeps its mode, its owner's numbers and the second of its last
 * change from 1901 to 2038, not more: neither extended attributes nor owners' names.
 */
export const zipRules: ArchiveRules = {
  holds: ({ path, node: { type } }) =>
    (type === 'file' || type === 'dir' || type === 'symlink') && path.length <= mostPathBytes,
  hasHardLinks: false,
};

/** What becomes known of an entry while it is written. */
export interface ZipContent {
  readonly checksum: number;
  readonly sizeBytes: number;
  readonly packedBytes: number;
}

/** Whether lengths come after the content, which is packed; otherwise they are in the header, and it is stored. */
export function isPacked({ node }: ZipItem): boolean {
  return node.type === 'file' && node.size > 0;
}

/** `content`: of what is stored. */
export function zipLocalHeader(item: ZipItem, content: ZipContent | undefined): Buffer {
  const name = nameOf(item);
  const isLong = hasLongLengths(item);
  const { checksum, sizeBytes, packedBytes } = content ?? { checksum: 0, sizeBytes: 0, packedBytes: 0 };
  const extra = Buffer.concat([...(isLong ? [zip64([0, 0])] : []), ...unixFields(item)]);
  const head = Buffer.alloc(30);
  head.write('PK\x03\x04', 'latin1');
  head.writeUInt16LE(isLong ? versions.zip64 : versions.usual, 4);
  writeShared(item, head, 6);
  head.writeUInt32LE(checksum, 14);
  head.writeUInt32LE(isLong ? beyond32 : packedBytes, 18);
  head.writeUInt32LE(isLong ? beyond32 : sizeBytes, 22);
  head.writeUInt16LE(name.length, 26);
  head.writeUInt16LE(extra.length, 28);
  return Buffer.concat([head, name, extra]);
}

/** What follows a packed content. */
export function zipLengths(item: ZipItem, { checksum, sizeBytes, packedBytes }: ZipContent): Buffer {
  const isLong = hasLongLengths(item);
  const lengths = Buffer.alloc(isLong ? 24 : 16);
  lengths.write('PK\x07\x08', 'latin1');
  lengths.writeUInt32LE(checksum, 4);
  if (isLong) {
    lengths.writeBigUInt64LE(BigInt(packedBytes), 8);
    lengths.writeBigUInt64LE(BigInt(sizeBytes), 16);
  } else {
    lengths.writeUInt32LE(packedBytes, 8);
    lengths.writeUInt32LE(sizeBytes, 12);
  }
  return lengths;
}

/** The entry in the archive's directory. `offset`: of its local header. */
export function zipDirectoryEntry(item: ZipItem, content: ZipContent, offset: number): Buffer {
  const name = nameOf(item);
  const numbers = [content.sizeBytes, content.packedBytes, offset];
  const long = numbers.filter((number) => number >= beyond32);
  const extra = Buffer.concat([...(long.length > 0 ? [zip64(long)] : []), ...unixFields(item)]);
  const entry = Buffer.alloc(46);
  entry.write('PK\x01\x02', 'latin1');
  entry.writeUInt16LE(madeBy, 4);
  entry.writeUInt16LE(long.length > 0 || hasLongLengths(item) ? versions.zip64 : versions.usual, 6);
  writeShared(item, entry, 8);
  entry.writeUInt32LE(content.checksum, 16);
  entry.writeUInt32LE(Math.min(content.packedBytes, beyond32), 20);
  entry.writeUInt32LE(Math.min(content.sizeBytes, beyond32), 24);
  entry.writeUInt16LE(name.length, 28);
  entry.writeUInt16LE(extra.length, 30);
  entry.writeUInt32LE(attributesOf(item), 38);
  entry.writeUInt32LE(Math.min(offset, beyond32), 42);
  return Buffer.concat([entry, name, extra]);
}

export interface ZipDirectory {
  readonly entries: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** What the archive ends with, after its directory. */
export function zipEnd({ entries, offset, sizeBytes }: ZipDirectory): Buffer {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Math.min(entries, beyond16), 8);
  end.writeUInt16LE(Math.min(entries, beyond16), 10);
  end.writeUInt32LE(Math.min(sizeBytes, beyond32), 12);
  end.writeUInt32LE(Math.min(offset, beyond32), 16);
  const isLong = entries >= beyond16 || sizeBytes >= beyond32 || offset >= beyond32;
  return isLong ? Buffer.concat([zip64End({ entries, offset, sizeBytes }), end]) : end;
}

/** The end with numbers of eight bytes, and where it is. */
function zip64End({ entries, offset, sizeBytes }: ZipDirectory): Buffer {
  const end = Buffer.alloc(56);
  end.write('PK\x06\x06', 'latin1');
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(madeBy, 12);
  end.writeUInt16LE(versions.zip64, 14);
  end.writeBigUInt64LE(BigInt(entries), 24);
  end.writeBigUInt64LE(BigInt(entries), 32);
  end.writeBigUInt64LE(BigInt(sizeBytes), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(offset + sizeBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end, locator]);
}

function hasLongLengths({ node }: ZipItem): boolean {
  return node.type === 'file' && node.size >= zip64ContentBytes;
}

/** A directory's name ends with a slash. */
function nameOf({ path, node }: ZipItem): Buffer {
  return byteStringToBytes(node.type === 'dir' ? (`${path}/` as ByteString) : path);
}

/** What local header and directory both have: flags, method, and the time in UTC. */
function writeShared(item: ZipItem, into: Buffer, at: number): void {
  const { time, date } = dosTimeOf(item.node.modifiedAt);
  const nameFlag = isUtf8(item.path) ? flags.utf8Name : 0;
  into.writeUInt16LE(nameFlag | (isPacked(item) ? flags.lengthsFollow : 0), at);
  into.writeUInt16LE(isPacked(item) ? deflated : stored, at + 2);
  into.writeUInt16LE(time, at + 4);
  into.writeUInt16LE(date, at + 6);
}

function attributesOf({ node }: ZipItem): number {
  const type = { dir: unixMode.directory, symlink: unixMode.symlink } as Record<string, number | undefined>;
  const mode = (type[node.type] ?? unixMode.regular) | permissionsOf(node.mode);
  return mode * 0x1_0000 + (node.type === 'dir' ? directoryAttribute : 0);
}

function field(id: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(data.length, 2);
  return Buffer.concat([head, data]);
}

function zip64(numbers: readonly number[]): Buffer {
  const data = Buffer.alloc(8 * numbers.length);
  for (const [position, number] of numbers.entries()) data.writeBigUInt64LE(BigInt(number), 8 * position);
  return field(zip64Field, data);
}

/** The time of the last change where four bytes can count it, and the owner's numbers. */
function unixFields({ node: { modifiedAt, uid, gid } }: ZipItem): Buffer[] {
  const owners = Buffer.from([1, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
  owners.writeUInt32LE(uid, 2);
  owners.writeUInt32LE(gid, 7);
  const fields = [field(ownersField, owners)];
  const { seconds } = modifiedAt;
  if (seconds !== (seconds | 0)) return fields;
  const times = Buffer.from([1, 0, 0, 0, 0]);
  times.writeInt32LE(seconds, 1);
  return [field(timesField, times), ...fields];
}

const firstDosTime = Date.UTC(1980, 0, 1);
const lastDosTime = Date.UTC(2107, 11, 31, 23, 59, 58);

/** From 1980 to 2107, every other second. */
function dosTimeOf({ seconds }: FileTime): { readonly time: number; readonly date: number } {
  const at = new Date(Math.min(Math.max(seconds * 1000, firstDosTime), lastDosTime));
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  };
}
