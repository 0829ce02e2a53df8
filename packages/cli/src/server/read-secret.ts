import { readFile } from 'node:fs/promises';
import { HoldfastError, systemErrorCode } from '@holdfast/base';

/** A key in the server's data directory, without the white space around it. @throws HoldfastError `secret-unreadable` */
export async function readSecret(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new HoldfastError(
      'secret-unreadable',
      `${path} cannot be read (${systemErrorCode(error) ?? 'unknown reason'}).`,
      {
        hint: "Run this on the server's machine, as the user that the server runs as; HOLDFAST_DATA says where its data is.",
        cause: error,
      },
    );
  }
}
