import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from '@holdfast/base';

/**
 * Makes a directory for its owner only (mode 0700), and those above it that are missing. One that is there stays as it
 * is. Node's own way to do so tries for ever on file systems such as /proc, where a name cannot be made.
 *
 * @throws the system's error
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  if (dirname(path) !== path) await makePrivateDirectory(dirname(path));
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const isThere = systemErrorCode(error) === 'EEXIST' && (await isDirectory(path));
    if (!isThere) throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
