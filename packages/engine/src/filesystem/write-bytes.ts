import { writeSync } from 'node:fs';
import { startWriteOut } from './sync.ts';
import { dataRanges } from './zero-pages.ts';

export interface WriteOptions {
  /** Whole pages of zeros are not written, so that a new file has holes there. */
  readonly sparse: boolean;
  /** Somebody will wait until all is on stable storage: what is written goes there at once. */
  readonly willSync: boolean;
}

/** What of the bytes is written: all of them, or with `sparse` not the pages of zeros. */
export function writtenRanges(
  bytes: Uint8Array,
  { sparse }: Pick<WriteOptions, 'sparse'>,
): Iterable<{ readonly start: number; readonly end: number }> {
  return sparse ? dataRanges(bytes) : [{ start: 0, end: bytes.length }];
}

/** Writes bytes to an open file from `position` on. @throws Node's system errors */
export function writeBytes(
  file: number,
  bytes: Uint8Array,
  { position, sparse, willSync }: WriteOptions & { readonly position: number },
): void {
  for (const { start, end } of writtenRanges(bytes, { sparse })) {
    for (let at = start; at < end; ) at += writeSync(file, bytes, at, end - at, position + at);
  }
  if (willSync) startWriteOut(file, { position, sizeBytes: bytes.length });
}
