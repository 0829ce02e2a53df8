import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** Writes a file that is there only once it is whole: what was at the path before stays until then. */
export async function writeWholeFile(
  path: string,
  write: (output: Writable) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  const file = createWriteStream(temporary, { flags: 'wx', flush: true });
  const closed = finished(file);
  closed.catch(() => {});
  try {
    await write(file);
    file.end();
    await closed;
    await rename(temporary, path);
  } catch (error) {
    file.destroy();
    await rm(temporary, { force: true });
    throw error;
  }
}
