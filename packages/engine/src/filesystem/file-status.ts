import { type ByteString, emptyByteString as emptyPath } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { unixMode } from '../format/go-file-mode.ts';
import { cStringAddress, NativeMemory } from './native-memory.ts';
import { systemCalls } from './system-calls.ts';
import { check, checkExcept } from './system-error.ts';

/** What the kernel knows of an inode, with nothing rounded. */
export interface FileStatus {
  /** Type and permission bits: `st_mode`. */
  readonly mode: number;
  readonly inode: bigint;
  /** `st_dev` */
  readonly deviceId: bigint;
  /** `st_rdev`, of a device */
  readonly device: bigint;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes */
  readonly size: number;
  /** Bytes that it takes on storage; less than `size` for a sparse file. */
  readonly allocated: number;
  readonly accessedAt: FileTime;
  readonly modifiedAt: FileTime;
  readonly changedAt: FileTime;
  /** True if a file system is mounted exactly here (a bind mount too). Linux 5.8 and later; else false. */
  readonly isMountPoint: boolean;
}

export function isDirectory(status: FileStatus): boolean {
  return (status.mode & unixMode.typeMask) === unixMode.directory;
}

export function isRegularFile(status: FileStatus): boolean {
  return (status.mode & unixMode.typeMask) === unixMode.regular;
}

/** Of the open file itself. */
export function statusOf(descriptor: number): FileStatus {
  check(statx(descriptor, emptyPath, atEmptyPath), 'statx');
  return readStructure();
}

/** Of the entry itself, also if it is a symbolic link; undefined if there is none of that name. */
export function statusAt(directory: number, name: ByteString): FileStatus | undefined {
  const result = statx(directory, name, atSymlinkNoFollow | atNoAutomount);
  return checkExcept(result, 'statx', 'ENOENT') === -1 ? undefined : readStructure();
}

/** As `statusAt`, for who needs only part of it: false if there is none of that name. See `copyLastStatus`. */
export function lookAt(directory: number, name: ByteString): boolean {
  const result = statx(directory, name, atSymlinkNoFollow | atNoAutomount);
  return checkExcept(result, 'statx', 'ENOENT') !== -1;
}

/** Bytes of the `struct statx` that the last call of these functions filled. */
export function copyLastStatus(into: Buffer, at: number, start: number, end: number): void {
  structure?.bytes.copy(into, at, start, end);
}

/** Of what the path leads to, through symbolic links; undefined if it leads to nothing. */
export function statusOfPath(path: ByteString): FileStatus | undefined {
  const result = statx(atWorkingDirectory, path, atNoAutomount);
  return checkExcept(result, 'statx', 'ENOENT', 'ENOTDIR') === -1 ? undefined : readStructure();
}

/** `st_dev` and `st_rdev` as the kernel packs them. */
export function deviceNumber(major: number, minor: number): bigint {
  const wideMajor = BigInt(major);
  const wideMinor = BigInt(minor);
  return (
    (wideMinor & 0xffn) |
    ((wideMajor & 0xfffn) << 8n) |
    ((wideMinor & ~0xffn) << 12n) |
    ((wideMajor & ~0xfffn) << 32n)
  );
}

export const atWorkingDirectory = -100;
const atSymlinkNoFollow = 0x100;
const atNoAutomount = 0x800;
const atEmptyPath = 0x1000;
/** STATX_BASIC_STATS */
const wanted = 0x7ff;
const attributeMountRoot = 0x2000;
const sectorBytes = 512;
const structureBytes = 256;

/** One for all calls: each is read out before the next. */
let structure: NativeMemory | undefined;
let words = new Uint32Array();
let longs = new BigUint64Array();

function statx(directory: number, path: ByteString, flags: number): number {
  structure ??= allocateStructure();
  return systemCalls().statx(directory, cStringAddress(path), flags, wanted, structure.address);
}

function allocateStructure(): NativeMemory {
  const memory = new NativeMemory(structureBytes);
  const { buffer, byteOffset } = memory.bytes;
  words = new Uint32Array(buffer, byteOffset, structureBytes / 4);
  longs = new BigUint64Array(buffer, byteOffset, structureBytes / 8);
  return memory;
}

/** The layout of `struct statx`, the same on every processor; all of them are little-endian. */
function readStructure(): FileStatus {
  return {
    mode: word(28) & 0xffff,
    inode: longs[32 / 8] ?? 0n,
    deviceId: deviceOf(word(136), word(140)),
    device: word(128) === 0 && word(132) === 0 ? 0n : deviceNumber(word(128), word(132)),
    links: word(16),
    uid: word(20),
    gid: word(24),
    size: readUint53(40),
    allocated: readUint53(48) * sectorBytes,
    accessedAt: readTime(64),
    modifiedAt: readTime(112),
    changedAt: readTime(96),
    isMountPoint: (word(8) & word(56) & attributeMountRoot) !== 0,
  };
}

function word(offset: number): number {
  return words[offset >> 2] ?? 0;
}

function readUint53(offset: number): number {
  return word(offset) + word(offset + 4) * 2 ** 32;
}

function readTime(offset: number): FileTime {
  return { seconds: word(offset) + (word(offset + 4) | 0) * 2 ** 32, nanoseconds: word(offset + 8) };
}

/** Nearly every file is on the same device as the one before. */
let lastDevice = { major: 0, minor: 0, number: 0n };

function deviceOf(major: number, minor: number): bigint {
  if (lastDevice.major !== major || lastDevice.minor !== minor) {
    lastDevice = { major, minor, number: deviceNumber(major, minor) };
  }
  return lastDevice.number;
}
