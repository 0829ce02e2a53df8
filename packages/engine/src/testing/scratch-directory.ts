import { accessSync, constants, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';

/**
 * A new directory, in memory where the machine has a place for that: for what writes and syncs thousands of small files
 * that nobody needs again.
 */
export function scratchDirectory(): string {
  return mkdtempSync(join(isWritable(memory) ? memory : tmpdir(), 'holdfast-'));
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
