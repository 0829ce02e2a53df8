import { read, statfsSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Abortable, systemErrorCode, throwIfAborted } from '@holdfast/base';
import type { FileStatus } from '../filesystem/file-status.ts';
import { procPath } from '../filesystem/metadata.ts';

const readFile = promisify(read);

/** How much is asked of the kernel at once: some of these files are good for one read only. */
const readBytes = 64 * 1024;

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

/** Knows on which file systems the size of a file does not say how much can be read of it. */
export class ComputedFiles {
  readonly #isComputed = new Map<bigint, boolean>();

  /** @param directory open, on the file system that the status tells of */
  includes(status: FileStatus, directory: number): boolean {
    const known = this.#isComputed.get(status.deviceId);
    if (known !== undefined) return known;
    const isComputed = computedTypes.has(fileSystemType(directory));
    this.#isComputed.set(status.deviceId, isComputed);
    return isComputed;
  }
}

/** All that an open file gives, from where it stands. @throws Node's system errors */
export async function* readToEnd(file: number, { signal }: Abortable = {}): AsyncGenerator<Buffer, void> {
  for (;;) {
    throwIfAborted(signal);
    const bytes = Buffer.allocUnsafeSlow(readBytes);
    const { bytesRead } = await readFile(file, bytes, 0, bytes.length, null);
    if (bytesRead === 0) return;
    yield bytes.subarray(0, bytesRead);
  }
}

function fileSystemType(directory: number): number {
  try {
    return statfsSync(procPath(directory)).type;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return 0;
  }
}
