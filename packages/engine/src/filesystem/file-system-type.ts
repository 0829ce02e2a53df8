import { statfsSync } from 'node:fs';
import { systemErrorCode } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import type { FileStatus } from './file-status.ts';
import { procPath } from './metadata.ts';

/** `f_type` of file systems whose files are made when they are read, so that their size says nothing. */
const computedTypes: ReadonlySet<number> = new Set([
  0x9f_a0, // proc
  0x62_65_65_72, // sysfs
  0x62_65_65_70, // configfs
  0x64_62_67_20, // debugfs
  0x74_72_61_63, // tracefs
  0x27_e0_eb, // cgroup
  0x63_67_72_70, // cgroup2
  0x73_63_66_73, // securityfs
]);

/**
 * `f_type` of file systems in memory: they have no storage to write to, so that a page once written to through a
 * mapping can be written to again and again with no change of the file's times.
 */
const memoryTypes: ReadonlySet<number> = new Set([
  0x01_02_19_94, // tmpfs
  0x85_84_58_f6, // ramfs
  0x95_84_58_f6, // hugetlbfs
]);

export interface FileSystemTraits {
  /** The size of a file does not say how much can be read of it. */
  readonly isComputed: boolean;
  /** A file may change and keep all of its times. */
  readonly isMemory: boolean;
}

const unknownType: FileSystemTraits = { isComputed: false, isMemory: false };

/** What is particular about file systems; each is asked once. */
export class FileSystems {
  readonly #known = new Map<bigint, FileSystemTraits>();

  /** @param entry with this status: an entry of that open directory, or without a name the open file itself */
  traits(status: FileStatus, descriptor: number, name?: ByteString): FileSystemTraits {
    const known = this.#known.get(status.deviceId);
    if (known !== undefined) return known;
    const traits = readTraits(procPath(descriptor, name));
    this.#known.set(status.deviceId, traits);
    return traits;
  }
}

function readTraits(path: ByteString): FileSystemTraits {
  try {
    const { type } = statfsSync(Buffer.from(path, 'latin1'));
    return { isComputed: computedTypes.has(type), isMemory: memoryTypes.has(type) };
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return unknownType;
  }
}
