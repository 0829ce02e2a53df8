import { readFileSync, readlinkSync } from 'node:fs';
import { procPath } from '../filesystem/metadata.ts';
import type { ByteString } from '../format/byte-string.ts';

/** Paths of what is mounted beneath an open directory, as seen by this process, from the directory down. */
export function mountPointsBeneath(directory: number): ReadonlySet<ByteString> {
  const top = readlinkSync(procPath(directory), 'latin1');
  const prefix = top === '/' ? '/' : `${top}/`;
  const found = new Set<ByteString>();
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
    const path = (line.split(' ')[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    if (path.startsWith(prefix) && path !== prefix) found.add(path.slice(prefix.length) as ByteString);
  }
  return found;
}
