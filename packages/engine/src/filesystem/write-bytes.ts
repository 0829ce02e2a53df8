import { writeSync } from 'node:fs';
import { dataRanges } from './zero-pages.ts';

/** What of the bytes is written: all of them, or with `sparse` not the pages of zeros. */
export function writtenRanges(
  bytes: Uint8Array,
  { sparse }: { readonly sparse: boolean },
): Iterable<{ readonly start: number; readonly end: number }> {
  return sparse ? dataRanges(bytes) : [{ start: 0, end: bytes.length }];
}

/** Writes bytes to an open file from `position` on. @throws Node's system errors */
export function writeBytes(
  file: number,
  bytes: Uint8Array,
  { position, sparse }: { readonly position: number; readonly sparse: boolean },
): void {
  for (const { start, end } of writtenRanges(bytes, { sparse })) {
    for (let at = start; at < end; ) at += writeSync(file, bytes, at, end - at, position + at);
  }
}
