import { execFile } from 'node:child_process';
import { lstat, utimes } from 'node:fs/promises';
import { promisify } from 'node:util';

const second = 1_000_000_000n;
const touchTimeoutMs = 10_000;

/**
 * Gives a folder a modification time to the nanosecond. Node's own call takes seconds as a floating-point number, which
 * is off by up to 120 ns; it is used only where the machine has no `touch` that does better.
 */
export async function restoreModifiedTime(folder: string, mtimeNs: bigint): Promise<void> {
  await touch(folder, mtimeNs);
  const { mtimeNs: reached, atimeMs } = await lstat(folder, { bigint: true });
  if (reached !== mtimeNs) await utimes(folder, Number(atimeMs) / 1000, Number(mtimeNs) / 1e9);
}

async function touch(folder: string, mtimeNs: bigint): Promise<void> {
  const size = mtimeNs < 0n ? -mtimeNs : mtimeNs;
  const time = `@${mtimeNs < 0n ? '-' : ''}${size / second}.${String(size % second).padStart(9, '0')}`;
  try {
    await promisify(execFile)('touch', ['-c', '-m', '-d', time, '--', folder], { timeout: touchTimeoutMs });
  } catch {
    // The caller looks at what was reached.
  }
}
