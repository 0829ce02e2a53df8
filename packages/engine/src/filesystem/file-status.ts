import type { ByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { unixMode } from '../format/go-file-mode.ts';
import { cString } from './c-string.ts';
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
  check(systemCalls().statx(descriptor, empty, atEmptyPath, wanted, structure), 'statx');
  return readStructure();
}

/** Of the entry itself, also if it is a symbolic link; undefined if there is none of that name. */
export function statusAt(directory: number, name: ByteString): FileStatus | undefined {
  const flags = atSymlinkNoFollow | atNoAutomount;
  const result = systemCalls().statx(directory, cString(name), flags, wanted, structure);
  return checkExcept(result, 'statx', 'ENOENT') === -1 ? undefined : readStructure();
}

/** Of what the path leads to, through symbolic links; undefined if it leads to nothing. */
export function statusOfPath(path: ByteString): FileStatus | undefined {
  const result = systemCalls().statx(atWorkingDirectory, cString(path), atNoAutomount, wanted, structure);
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

const empty = Buffer.from([0]);
/** One for all calls: each is read out before the next. */
const structure = Buffer.alloc(256);

/** The layout of `struct statx`, the same on every processor. */
function readStructure(): FileStatus {
  return {
    mode: structure.readUInt16LE(28),
    inode: structure.readBigUInt64LE(32),
    deviceId: deviceNumber(structure.readUInt32LE(136), structure.readUInt32LE(140)),
    device: deviceNumber(structure.readUInt32LE(128), structure.readUInt32LE(132)),
    links: structure.readUInt32LE(16),
    uid: structure.readUInt32LE(20),
    gid: structure.readUInt32LE(24),
    size: readUint53(40),
    allocated: readUint53(48) * sectorBytes,
    accessedAt: readTime(64),
    modifiedAt: readTime(112),
    changedAt: readTime(96),
    isMountPoint: (structure.readUInt32LE(8) & structure.readUInt32LE(56) & attributeMountRoot) !== 0,
  };
}

function readUint53(offset: number): number {
  return structure.readUInt32LE(offset) + structure.readUInt32LE(offset + 4) * 2 ** 32;
}

function readTime(offset: number): FileTime {
  return {
    seconds: structure.readUInt32LE(offset) + structure.readInt32LE(offset + 4) * 2 ** 32,
    nanoseconds: structure.readUInt32LE(offset + 8),
  };
}
