import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { sourceError } from '../filesystem/system-error.ts';
import {
  type ByteString,
  bytesToByteString,
  emptyByteString,
  isUtf8,
  toByteString,
} from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { nodeTypeOf, unixMode } from '../format/go-file-mode.ts';
import type { ArchiveEntry, EntryHead } from './archive-entry.ts';
import { archiveDamaged, entryRefused, unreadableArchive } from './archive-errors.ts';
import type { LimitGuard } from './archive-limits.ts';

/** Programs on which an entry's mode is Unix's. */
const unixHosts: ReadonlySet<number> = new Set([3, 19]);
const stored = 0;
const deflated = 8;
const centralHeaderMagic = 0x02014b50;
/** More is no target that any link can have. */
const mostTargetBytes = 64 * 1024;
const ownersField = 0x7875;
const unicodePathField = 0x7075;

type Yauzl = typeof import('yauzl');

/**
 * The entries of a zip archive by its central directory; each content is proven by its length and checksum.
 * @throws HoldfastError `archive-damaged`, `archive-refused`, `archive-limit-reached`, `source-unreadable`
 */
export async function* readZip(
  path: string,
  { limits }: { readonly limits: LimitGuard },
): AsyncGenerator<ArchiveEntry, void> {
  // Other verbs do not load it.
  const yauzl = await import('yauzl');
  const zip = await opened(yauzl.openPromise(path, { autoClose: false, decodeStrings: false }), path);
  try {
    const entries = zip.eachEntry();
    for (;;) {
      const { done, value: entry } = await opened(entries.next(), path);
      if (done === true) break;
      const name = nameOf(entry, yauzl);
      requireReadable(entry, name);
      const content = contentOf(zip, entry, { path, name, limits });
      yield await described(entry, name, content);
    }
    await requireNoMore(path, Number(zip.readEntryCursor));
  } finally {
    zip.close();
  }
}

async function opened<Result>(result: Promise<Result>, path: string): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    throw failure(error, path);
  }
}

/** Failures of the system are the file's, all others the archive's. */
function failure(error: unknown, path: string, name?: ByteString): Error {
  const isOfSystem = error instanceof Error && 'syscall' in error;
  return isOfSystem ? sourceError(error, toByteString(path)) : unreadableArchive(error, name);
}

/** Some programs count beyond what their field holds, and begin again at zero: the rest would be lost unseen. */
async function requireNoMore(path: string, end: number): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, end);
    if (bytesRead === 4 && buffer.readUInt32LE(0) === centralHeaderMagic) {
      throw archiveDamaged('its directory has more entries than it says');
    }
  } finally {
    await file.close();
  }
}

/** Bytes that are UTF-8 are meant so, whatever they are said to be; others are just bytes on Unix, and in the code page of old elsewhere. */
function nameOf(entry: Entry, { getFileNameLowLevel }: Yauzl): ByteString {
  const raw = bytesToByteString(entry.fileNameRaw);
  const { generalPurposeBitFlag, extraFields } = entry;
  const isPlain = isFromUnix(entry) && !extraFields.some(({ id }) => id === unicodePathField);
  const name =
    isUtf8(raw) || isPlain
      ? raw
      : toByteString(getFileNameLowLevel(generalPurposeBitFlag, entry.fileNameRaw, extraFields, true));
  // A backslash is part of a name where the archive was made on Unix, and separates names elsewhere.
  return isFromUnix(entry) ? name : (name.replaceAll('\\', '/') as ByteString);
}

function requireReadable(entry: Entry, name: ByteString): void {
  if (entry.isEncrypted())
    throw entryRefused(name, 'it is encrypted', 'Make the archive without a password.');
  const { compressionMethod } = entry;
  if (compressionMethod === stored || compressionMethod === deflated) return;
  const reason = `it is compressed in a way that is not known (method ${compressionMethod})`;
  throw entryRefused(name, reason, 'Make the archive with the usual compression (deflate).');
}

async function described(
  entry: Entry,
  name: ByteString,
  content: AsyncIterable<Uint8Array>,
): Promise<ArchiveEntry> {
  const mode = isFromUnix(entry) ? entry.externalFileAttributes >>> 16 : 0;
  const kind = kindOf(mode, name);
  if (kind === 'dir' && entry.uncompressedSize > 0)
    throw entryRefused(name, 'it is no file and has a content');
  const { uid, gid } = ownersOf(entry);
  return {
    path: name,
    kind,
    permissions: mode === 0 ? (kind === 'dir' ? 0o755 : 0o644) : mode & 0o7777,
    ...{ uid, gid, user: emptyByteString, group: emptyByteString },
    modifiedAt: timeOf(entry),
    linkTarget: kind === 'symlink' ? await targetOf(entry, name, content) : emptyByteString,
    extendedAttributes: [],
    sizeBytes: kind === 'file' ? entry.uncompressedSize : 0,
    content,
  };
}

function isFromUnix({ versionMadeBy }: Entry): boolean {
  return unixHosts.has(versionMadeBy >>> 8);
}

function kindOf(mode: number, name: ByteString): EntryHead['kind'] {
  const plain = name.endsWith('/') ? 'dir' : 'file';
  if ((mode & unixMode.typeMask) === 0) return plain;
  switch (nodeTypeOf(mode)) {
    case 'file':
      return plain;
    case 'dir':
      return 'dir';
    case 'symlink':
      return 'symlink';
    case 'chardev':
    case 'dev':
      throw entryRefused(name, 'it is a device');
    case 'fifo':
      throw entryRefused(name, 'it is a named pipe');
    default:
      throw entryRefused(name, 'its type is not known');
  }
}

/** A link's target is its content. */
async function targetOf(
  { uncompressedSize }: Entry,
  name: ByteString,
  content: AsyncIterable<Uint8Array>,
): Promise<ByteString> {
  if (uncompressedSize > mostTargetBytes) throw entryRefused(name, 'its target is too long');
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return bytesToByteString(Buffer.concat(pieces));
}

/** Where there is no time in a field of its own, the one of old has no time zone: UTC, so that it is the same everywhere. */
function timeOf(entry: Entry): FileTime {
  const ms = entry.getLastModDate({ timezone: 'UTC' }).getTime();
  if (Number.isNaN(ms)) return { seconds: 0, nanoseconds: 0 };
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanoseconds: Math.floor((ms - seconds * 1000) * 1_000_000) };
}

/** As Info-ZIP writes them: a version, and each number after its length. */
function ownersOf({ extraFields }: Entry): { readonly uid: number; readonly gid: number } {
  const data = extraFields.find(({ id }) => id === ownersField)?.data;
  const nobody = { uid: 0, gid: 0 };
  if (data === undefined || data.length < 3 || data[0] !== 1) return nobody;
  const uidBytes = data[1] ?? 0;
  const gidBytes = data[2 + uidBytes] ?? 0;
  const isUsual = [uidBytes, gidBytes].every((bytes) => bytes > 0 && bytes <= 4);
  if (!isUsual || data.length < 3 + uidBytes + gidBytes) return nobody;
  return { uid: data.readUIntLE(2, uidBytes), gid: data.readUIntLE(3 + uidBytes, gidBytes) };
}

interface ContentOptions {
  /** Of the archive. */
  readonly path: string;
  readonly name: ByteString;
  readonly limits: LimitGuard;
}

async function* contentOf(
  zip: ZipFile,
  entry: Entry,
  { path, name, limits }: ContentOptions,
): AsyncGenerator<Uint8Array, void> {
  let checksum = 0;
  let sizeBytes = 0;
  try {
    const content: Readable = await zip.openReadStreamPromise(entry);
    for await (const piece of content as AsyncIterable<Buffer>) {
      limits.addBytes(piece.length);
      sizeBytes += piece.length;
      checksum = crc32(piece, checksum);
      yield piece;
    }
  } catch (error) {
    throw failure(error, path, name);
  }
  if (sizeBytes !== entry.uncompressedSize || checksum !== entry.crc32) {
    throw archiveDamaged('its checksum is wrong', { entry: name });
  }
}
