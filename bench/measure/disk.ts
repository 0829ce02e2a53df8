import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes in all files below the folder, as long as they are; what blocks they take does not count. */
export function bytesBelow(folder: string): number {
  return filesBelow(folder).reduce((total, path) => total + statSync(path).size, 0);
}

/** Reads everything once: what is measured afterwards does not wait for the disk. */
export function warm(path: string): void {
  const files = statSync(path).isDirectory() ? filesBelow(path) : [path];
  const buffer = Buffer.alloc(1 << 20);
  for (const file of files) readThrough(file, buffer);
}

/** Nothing of what was written before is left to be written while the next run is measured. */
export function settleDisk(): void {
  const { status } = spawnSync('sync', { stdio: 'ignore' });
  if (status !== 0) throw new Error('`sync` failed.');
}

export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

const fileSystems: Readonly<Record<number, string>> = {
  61267: 'ext4',
  16914836: 'tmpfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlay',
};

/** `ext4`, `tmpfs`, …, or the number of a kind that is not known here. */
export function fileSystemOf(folder: string): string {
  const { type } = statfsSync(folder);
  return fileSystems[type] ?? `0x${type.toString(16)}`;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function readThrough(file: string, buffer: Buffer): void {
  const descriptor = openSync(file, 'r');
  try {
    while (readSync(descriptor, buffer) > 0);
  } finally {
    closeSync(descriptor);
  }
}
