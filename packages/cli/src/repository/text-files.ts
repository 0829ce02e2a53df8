import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { CliContext } from '../context.ts';

/** A file that the command line names; `-` is standard input. @throws HoldfastError `usage-invalid` */
export async function readNamedFile(context: CliContext, path: string): Promise<Buffer> {
  if (path === '-') return await buffer(context.input);
  try {
    return await readFile(resolve(context.folder, path), { signal: context.interrupts.signal });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    throw new HoldfastError('usage-invalid', `Could not read ${path}: the system said ${code}.`, {
      hint: 'Check the path.',
      cause: error,
    });
  }
}

/** Lines with something in them, without blanks around; not those that begin with `#`. */
export function meantLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
