import { read } from 'node:fs';
import { promisify } from 'node:util';
import { type Abortable, throwIfAborted } from '@holdfast/base';

const readFile = promisify(read);

/** How much is asked of the kernel at once: some of the files that are made when read are good for one read only. */
const readBytes = 64 * 1024;

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
