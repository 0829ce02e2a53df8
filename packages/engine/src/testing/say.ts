import { writeSync } from 'node:fs';
import { systemErrorCode } from '@holdfast/base';

const retryMs = 1;

/**
 * Writes to standard output at once, also where that is a pipe that is full: with worker threads Node makes it one
 * that does not wait.
 */
export function say(text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if (systemErrorCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }
}
