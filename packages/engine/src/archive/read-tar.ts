import { type ByteString, toByteString } from '../format/byte-string.ts';
import type { ExtendedAttribute } from '../format/node.ts';
import type { ArchiveEntry, EntryHead } from './archive-entry.ts';
import { archiveDamaged, entryRefused } from './archive-errors.ts';
import { ByteReader, ContentReader, cutOff } from './byte-reader.ts';
import { type PaxRecords, paxCount, paxText, paxTime, readPaxRecords } from './pax-records.ts';
import { isZeroBlock, readTarFields, type TarFields, textUpToZero } from './tar-block.ts';
import { tarBlockBytes } from './tar-header.ts';

/** What comes before an entry and is held in memory: long names, attributes. */
const mostExtensionBytes = 1024 * 1024;
const attributePrefix = 'SCHILY.xattr.';
/** Others are the system's: capabilities, labels, access lists. */
const takenAttribute = /^user\.[^\0]{1,250}$/;
const mostAccount = 0xffff_ffff;

/** What headers of their own say about the entry after them. */
interface Extensions {
  readonly pax: PaxRecords;
  readonly longPath: ByteString | undefined;
  readonly longLinkPath: ByteString | undefined;
}

const nothing: Extensions = { pax: new Map(), longPath: undefined, longLinkPath: undefined };

/**
 * The entries of a tar archive (POSIX's ustar and pax, GNU's, and older ones), names and values as the bytes they are.
 * Of an extended header for all entries only times and owners count.
 * @throws HoldfastError `archive-damaged`, `archive-refused`, and whatever the bytes reject with
 */
export async function* readTar(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveEntry, void> {
  const reader = new ByteReader(bytes);
  let global: PaxRecords = new Map();
  let extensions = nothing;
  try {
    for (;;) {
      const block = await reader.readExactly(tarBlockBytes);
      if (block === undefined) throw archiveDamaged('it ends without its end mark');
      if (isZeroBlock(block)) break;
      const fields = readTarFields(block);
      if ('gxLK'.includes(fields.typeFlag)) {
        const content = await readExtension(reader, fields);
        if (fields.typeFlag === 'g') global = globalRecords(content);
        else extensions = extended(extensions, fields, content);
        continue;
      }
      const head = headOf(fields, { ...extensions, pax: new Map([...global, ...extensions.pax]) });
      extensions = nothing;
      const content = new ContentReader(reader, head.sizeBytes);
      yield { ...head, content };
      await content.skip();
      await new ContentReader(reader, paddingBytes(head.sizeBytes)).skip();
    }
    if (extensions !== nothing) throw cutOff();
    await requireOnlyZeros(reader);
  } finally {
    await reader.close();
  }
}

function paddingBytes(sizeBytes: number): number {
  return (tarBlockBytes - (sizeBytes % tarBlockBytes)) % tarBlockBytes;
}

/** Archives are filled up with zeros, to the size of a tape's record. */
async function requireOnlyZeros(reader: ByteReader): Promise<void> {
  for (;;) {
    const piece = await reader.readSome(tarBlockBytes);
    if (piece === undefined) return;
    if (!isZeroBlock(piece)) throw archiveDamaged('something follows its end mark');
  }
}

async function readExtension(reader: ByteReader, { path, sizeBytes }: TarFields): Promise<Buffer> {
  if (sizeBytes < 0 || sizeBytes > mostExtensionBytes) {
    throw entryRefused(path, `its extended header is longer than ${mostExtensionBytes} bytes`);
  }
  const content = await reader.readExactly(sizeBytes + paddingBytes(sizeBytes));
  if (content === undefined) throw cutOff();
  return content.subarray(0, sizeBytes);
}

function extended(before: Extensions, { typeFlag }: TarFields, content: Buffer): Extensions {
  if (typeFlag === 'L') return { ...before, longPath: textUpToZero(content) };
  if (typeFlag === 'K') return { ...before, longLinkPath: textUpToZero(content) };
  return { ...before, pax: readPaxRecords(content) };
}

/** What belongs to one entry cannot be said of all. */
function globalRecords(content: Buffer): PaxRecords {
  const taken = ['mtime', 'uid', 'gid', 'uname', 'gname'];
  const records = readPaxRecords(content);
  const odd = ['path', 'linkpath', 'size'].find((key) => records.has(key));
  if (odd !== undefined) throw archiveDamaged(`it gives the same ${odd} to all of its entries`);
  return new Map([...records].filter(([key]) => taken.includes(key)));
}

/** @throws HoldfastError `archive-refused` for what is not taken over */
function headOf(fields: TarFields, { pax, longPath, longLinkPath }: Extensions): EntryHead {
  const path = paxText(pax, 'path') ?? longPath ?? fields.path;
  requireNotSparse(path, pax);
  const kind = kindOf(fields.typeFlag, path);
  const sizeBytes = paxCount(pax, 'size') ?? fields.sizeBytes;
  if (sizeBytes < 0) throw archiveDamaged('its size is below zero', { entry: path });
  if (kind !== 'file' && sizeBytes > 0) throw entryRefused(path, 'it is no file and has a content');
  const isLink = kind === 'link' || kind === 'symlink';
  return {
    path,
    kind,
    permissions: fields.mode & 0o7777,
    uid: accountOf(path, paxCount(pax, 'uid') ?? fields.uid),
    gid: accountOf(path, paxCount(pax, 'gid') ?? fields.gid),
    user: paxText(pax, 'uname') ?? fields.user,
    group: paxText(pax, 'gname') ?? fields.group,
    modifiedAt: paxTime(pax, 'mtime') ?? { seconds: fields.seconds, nanoseconds: 0 },
    linkTarget: isLink ? (paxText(pax, 'linkpath') ?? longLinkPath ?? fields.linkPath) : toByteString(''),
    extendedAttributes: attributesOf(pax),
    sizeBytes,
  };
}

function kindOf(typeFlag: string, path: ByteString): EntryHead['kind'] {
  switch (typeFlag) {
    case '\0':
    case '0':
    case '7':
      // Before there were types, a directory was a file whose name ends like this.
      return path.endsWith('/') ? 'dir' : 'file';
    case '1':
      return 'link';
    case '2':
      return 'symlink';
    case '3':
      throw entryRefused(path, 'it is a character device');
    case '4':
      throw entryRefused(path, 'it is a block device');
    case '5':
      return 'dir';
    case '6':
      throw entryRefused(path, 'it is a named pipe');
    case 'S':
      throw sparse(path);
    default:
      throw entryRefused(path, `its type "${typeFlag}" is not known`);
  }
}

function requireNotSparse(path: ByteString, pax: PaxRecords): void {
  if (![...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) return;
  throw sparse(paxText(pax, 'GNU.sparse.name') ?? path);
}

function sparse(path: ByteString): Error {
  return entryRefused(path, 'it is stored without its holes', 'Make the archive without --sparse (-S).');
}

function accountOf(path: ByteString, id: number): number {
  if (id >= 0 && id <= mostAccount) return id;
  throw archiveDamaged('its owner or group is out of range', { entry: path });
}

function attributesOf(pax: PaxRecords): ExtendedAttribute[] {
  return [...pax]
    .filter(
      ([key]) => key.startsWith(attributePrefix) && takenAttribute.test(key.slice(attributePrefix.length)),
    )
    .map(([key, value]) => ({
      name: key.slice(attributePrefix.length) as ByteString,
      value: Buffer.from(value),
    }));
}
