import { type ByteString, byteStringToBytes, isUtf8 } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { permissionsOf } from '../format/go-file-mode.ts';
import type { Node } from '../format/node.ts';
import type { ArchiveItem, ArchiveRules } from './archive-items.ts';

export const tarBlockBytes = 512;

const regularFile = '0';
const hardLink = '1';
const symbolicLink = '2';
const characterDevice = '3';
const blockDevice = '4';
const directory = '5';
const fifo = '6';
const extended = 'x';

const mostNameBytes = 100;
const mostOwnerNameBytes = 31;
const mostOctal = { 8: 0o7777777, 12: 0o77777777777 } as const;

type TarEntry = Pick<ArchiveItem, 'path' | 'node' | 'linkTo'>;

/** Not sockets, which mean nothing without their process. */
export const tarRules: ArchiveRules = {
  holds: ({ node: { type } }) => type !== 'socket' && type !== 'irregular',
  hasHardLinks: true,
};

/** How many bytes of content follow the entry's header, without what fills the last block. */
export function tarContentBytes({ node, linkTo }: TarEntry): number {
  return node.type === 'file' && linkTo === undefined ? node.size : 0;
}

/**
 * The blocks before an entry's content, in POSIX's pax format: what its fields cannot hold (long names, nanoseconds,
 * extended attributes, sizes of 8 GiB and more) is in an extended header before it.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const { node, path, linkTo } = entry;
  const fields: HeaderFields = {
    path: node.type === 'dir' ? (`${path}/` as ByteString) : path,
    type: linkTo === undefined ? typeFlagOf(node) : hardLink,
    mode: permissionsOf(node.mode),
    uid: node.uid,
    gid: node.gid,
    sizeBytes: tarContentBytes(entry),
    seconds: node.modifiedAt.seconds,
    linkPath: linkTo ?? node.linkTarget,
    user: node.user,
    group: node.group,
    device: node.type === 'dev' || node.type === 'chardev' ? node.device : 0n,
  };
  const records = paxRecords(fields, node);
  return records.length === 0
    ? block(fields)
    : Buffer.concat([...extendedHeader(path, records), block(fields)]);
}

/** What an archive ends with. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * tarBlockBytes);
}

/** What fills the last block of content of such a length. */
export function tarPadding(contentBytes: number): Buffer {
  return Buffer.alloc((tarBlockBytes - (contentBytes % tarBlockBytes)) % tarBlockBytes);
}

interface HeaderFields {
  readonly path: ByteString;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly linkPath: ByteString;
  readonly user: ByteString;
  readonly group: ByteString;
  readonly device: bigint;
}

function typeFlagOf({ type }: Node): string {
  switch (type) {
    case 'symlink':
      return symbolicLink;
    case 'dir':
      return directory;
    case 'fifo':
      return fifo;
    case 'dev':
      return blockDevice;
    case 'chardev':
      return characterDevice;
    default:
      return regularFile;
  }
}

function paxRecords(fields: HeaderFields, { modifiedAt, extendedAttributes }: Node): Buffer[] {
  const records: Buffer[] = [];
  const add = (key: ByteString | string, value: Uint8Array | string): void => {
    records.push(paxRecord(Buffer.from(key, 'latin1'), Buffer.from(value as string)));
  };
  const names: [string, ByteString][] = [];
  if (fields.path.length > mostNameBytes) names.push(['path', fields.path]);
  if (fields.linkPath.length > mostNameBytes) names.push(['linkpath', fields.linkPath]);
  if (fields.user.length > mostOwnerNameBytes) names.push(['uname', fields.user]);
  if (fields.group.length > mostOwnerNameBytes) names.push(['gname', fields.group]);
  // Names in extended headers are UTF-8 unless they say that they are not.
  if (names.some(([, name]) => !isUtf8(name))) add('hdrcharset', 'BINARY');
  for (const [key, name] of names) add(key, byteStringToBytes(name));
  if (fields.sizeBytes > mostOctal[12]) add('size', String(fields.sizeBytes));
  if (fields.uid > mostOctal[8]) add('uid', String(fields.uid));
  if (fields.gid > mostOctal[8]) add('gid', String(fields.gid));
  if (!isWholeAndOctal(modifiedAt)) add('mtime', paxTime(modifiedAt));
  for (const { name, value } of extendedAttributes) add(`SCHILY.xattr.${name}`, value);
  return records;
}

function isWholeAndOctal({ seconds, nanoseconds }: FileTime): boolean {
  return nanoseconds === 0 && seconds >= 0 && seconds <= mostOctal[12];
}

/** Decimal seconds; a negative time with a fraction counts back from zero. */
function paxTime({ seconds, nanoseconds }: FileTime): string {
  const isBack = seconds < 0 && nanoseconds > 0;
  const whole = isBack ? -(seconds + 1) : seconds;
  const fraction = isBack ? 1_000_000_000 - nanoseconds : nanoseconds;
  const digits = String(fraction).padStart(9, '0').replace(/0+$/, '');
  return `${isBack ? '-' : ''}${whole}${digits === '' ? '' : `.${digits}`}`;
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function paxRecord(key: Buffer, value: Buffer): Buffer {
  const restBytes = key.length + value.length + 3;
  let length = restBytes + String(restBytes).length;
  if (String(length).length > String(restBytes).length) length += 1;
  return Buffer.concat([Buffer.from(`${length} `), key, Buffer.from('='), value, Buffer.from('\n')]);
}

function extendedHeader(path: ByteString, records: readonly Buffer[]): Buffer[] {
  const content = Buffer.concat(records);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const header = block({
    path: `PaxHeaders/${name}`.slice(0, mostNameBytes) as ByteString,
    type: extended,
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: content.length,
    seconds: 0,
    linkPath: '' as ByteString,
    user: '' as ByteString,
    group: '' as ByteString,
    device: 0n,
  });
  return [header, content, tarPadding(content.length)];
}

/** Fields at the places that POSIX gives them. */
function block(fields: HeaderFields): Buffer {
  const header = Buffer.alloc(tarBlockBytes);
  const text = (value: string, offset: number, length: number): void => {
    header.write(value.slice(0, length), offset, 'latin1');
  };
  const octal = (value: number, offset: number, length: 8 | 12): void => {
    const fitting = value >= 0 && value <= mostOctal[length] ? value : 0;
    text(fitting.toString(8).padStart(length - 1, '0'), offset, length);
  };
  const { major, minor } = deviceNumbers(fields.device);
  text(fields.path, 0, mostNameBytes);
  octal(fields.mode, 100, 8);
  octal(fields.uid, 108, 8);
  octal(fields.gid, 116, 8);
  octal(fields.sizeBytes, 124, 12);
  octal(fields.seconds, 136, 12);
  text(fields.type, 156, 1);
  text(fields.linkPath, 157, mostNameBytes);
  text('ustar\x0000', 257, 8);
  text(fields.user, 265, mostOwnerNameBytes);
  text(fields.group, 297, mostOwnerNameBytes);
  octal(major, 329, 8);
  octal(minor, 337, 8);
  // The sum is taken with blanks in its own place.
  text('        ', 148, 8);
  const sum = header.reduce((total, byte) => total + byte, 0);
  text(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  return header;
}

/** Linux's `dev_t`: the minor number's bits are around the major's. */
function deviceNumbers(device: bigint): { readonly major: number; readonly minor: number } {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
