import { readdirSync, readFileSync } from 'node:fs';

/** Address range, permissions with `w` and `s`, offset, device, inode: of a mapping that is shared and writable. */
const sharedWritable = /^[0-9a-f]+-[0-9a-f]+ .w.s [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ (\d+) /gm;

/**
 * Inode numbers of all files that some process of this machine maps shared and writable now. Of processes that may not
 * be looked at, nothing is known. The number alone: a mapping's device is not always the one that a file's status tells.
 */
export function inodesMappedForWriting(): Set<bigint> {
  const inodes = new Set<bigint>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    for (const [, inode = '0'] of mappingsOf(name).matchAll(sharedWritable)) inodes.add(BigInt(inode));
  }
  inodes.delete(0n);
  return inodes;
}

function mappingsOf(process: string): string {
  try {
    return readFileSync(`/proc/${process}/maps`, 'latin1');
  } catch {
    // It ended, or is not ours to look at.
    return '';
  }
}
