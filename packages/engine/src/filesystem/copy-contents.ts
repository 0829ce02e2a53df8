import { ftruncateSync, read, write } from 'node:fs';
import { promisify } from 'node:util';
import { type Abortable, throwIfAborted } from '@holdfast/base';
import { statusOf } from './file-status.ts';
import { nextData } from './holes.ts';
import { systemCalls } from './system-calls.ts';

const readFile = promisify(read);
const writeFile = promisify(write);

/** Between two looks at the signal. */
const bytesPerCall = 64 * 1024 * 1024;
const bufferBytes = 1024 * 1024;

/**
 * Copies what an open file has, up to a size, into an empty one, within the kernel where that can: file systems that
 * share blocks between files then copy nothing. Holes stay holes. A file that ends before gives a shorter copy.
 * @returns how many bytes the copy has
 * @throws Node's system errors
 */
export async function copyContents(
  from: number,
  to: number,
  sizeBytes: number,
  { signal }: Abortable = {},
): Promise<number> {
  let position = 0;
  while (position < sizeBytes) {
    throwIfAborted(signal);
    const data = nextData(from, position);
    if (data === undefined) break;
    position = Math.max(position, data.start);
    const end = Math.min(data.end, sizeBytes, position + bytesPerCall);
    if (end <= position) break;
    const copied = await copyRange(from, to, position, end);
    if (copied === 0) break;
    position += copied;
  }
  const copiedBytes = Math.min(sizeBytes, statusOf(from).size);
  ftruncateSync(to, copiedBytes);
  return copiedBytes;
}

async function copyRange(from: number, to: number, start: number, end: number): Promise<number> {
  const copied = await systemCalls().copyFileRange(from, to, start, end - start);
  // Between file systems, and on some, the kernel does not do it; what else went wrong shows again.
  return copied > 0 ? copied : await copyByReading(from, to, start, end);
}

async function copyByReading(from: number, to: number, start: number, end: number): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(bufferBytes, end - start));
  const { bytesRead } = await readFile(from, buffer, 0, buffer.length, start);
  for (let written = 0; written < bytesRead; ) {
    const { bytesWritten } = await writeFile(to, buffer, written, bytesRead - written, start + written);
    written += bytesWritten;
  }
  return bytesRead;
}
