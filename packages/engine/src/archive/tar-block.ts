import { type ByteString, bytesToByteString } from '../format/byte-string.ts';
import { archiveDamaged } from './archive-errors.ts';
import { tarBlockBytes } from './tar-header.ts';

/** The fields of a tar header as they stand in it. */
export interface TarFields {
  readonly path: ByteString;
  readonly typeFlag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly linkPath: ByteString;
  readonly user: ByteString;
  readonly group: ByteString;
}

const checksumStart = 148;
const checksumEnd = 156;
const posixMagic = 'ustar\0';

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Whether it is a header that its own checksum confirms. */
export function isTarHeader(block: Buffer): boolean {
  if (block.length < tarBlockBytes || isZeroBlock(block)) return false;
  const claimed = octalAt(block, checksumStart, checksumEnd - checksumStart);
  const { unsigned, signed } = sumsOf(block);
  return claimed === unsigned || claimed === signed;
}

/** Whether it says that it is one, right or wrong. */
export function hasTarMagic(block: Buffer): boolean {
  return block.length >= tarBlockBytes && block.toString('latin1', 257, 262) === 'ustar';
}

/** @throws HoldfastError `archive-damaged` */
export function readTarFields(block: Buffer): TarFields {
  const name = textAt(block, 0, 100);
  if (!isTarHeader(block)) throw archiveDamaged('the checksum of a header is wrong', { entry: name });
  const number = (offset: number, length: number): number => {
    const value = numberAt(block, offset, length);
    if (value !== undefined && Number.isSafeInteger(value)) return value;
    throw archiveDamaged('a number in its header is none', { entry: name });
  };
  // Others than POSIX's have times where this has the beginning of a long path.
  const isPosix = block.toString('latin1', 257, 263) === posixMagic;
  const prefix = isPosix ? textAt(block, 345, 155) : '';
  return {
    path: (prefix === '' ? name : `${prefix}/${name}`) as ByteString,
    typeFlag: block.toString('latin1', 156, 157),
    mode: number(100, 8),
    uid: number(108, 8),
    gid: number(116, 8),
    sizeBytes: number(124, 12),
    seconds: number(136, 12),
    linkPath: textAt(block, 157, 100),
    user: hasTarMagic(block) ? textAt(block, 265, 32) : ('' as ByteString),
    group: hasTarMagic(block) ? textAt(block, 297, 32) : ('' as ByteString),
  };
}

/** Up to the first zero byte. */
export function textUpToZero(bytes: Buffer): ByteString {
  const end = bytes.indexOf(0);
  return bytesToByteString(end === -1 ? bytes : bytes.subarray(0, end));
}

function textAt(block: Buffer, offset: number, length: number): ByteString {
  return textUpToZero(block.subarray(offset, offset + length));
}

/** Octal digits, or where the highest bit is set a binary number as GNU tar writes what octal cannot hold. */
function numberAt(block: Buffer, offset: number, length: number): number | undefined {
  return ((block[offset] ?? 0) & 0x80) === 0
    ? octalAt(block, offset, length)
    : binaryAt(block, offset, length);
}

function octalAt(block: Buffer, offset: number, length: number): number | undefined {
  const digits = textAt(block, offset, length).trim();
  if (digits === '') return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** In two's complement, without the highest bit. */
function binaryAt(block: Buffer, offset: number, length: number): number {
  const bits = BigInt(8 * length - 1);
  const value = BigInt(`0x${block.toString('hex', offset, offset + length)}`);
  return Number(BigInt.asIntN(Number(bits), value));
}

/** Of all bytes, with blanks in the place of the sum itself. Some old programs took bytes for signed numbers. */
function sumsOf(block: Buffer): { readonly unsigned: number; readonly signed: number } {
  let unsigned = 0;
  let negatives = 0;
  for (let at = 0; at < tarBlockBytes; at += 1) {
    const byte = at >= checksumStart && at < checksumEnd ? 0x20 : (block[at] ?? 0);
    unsigned += byte;
    if (byte >= 0x80) negatives += 1;
  }
  return { unsigned, signed: unsigned - 256 * negatives };
}
