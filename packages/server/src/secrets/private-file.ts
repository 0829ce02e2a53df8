import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from '@holdfast/base';

const ownerOnly = 0o600;

/** The text of a file, or undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Puts a file (mode 0600) in the place of whatever was there: wholly and on stable storage, or not at all. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await place(path, text, async (temporary) => await rename(temporary, path));
}

/**
 * Makes a file (mode 0600) unless there is one already, wholly and on stable storage; of several that try at once, one
 * does. Answers with the text that is in the file then.
 */
export async function makePrivateFile(path: string, text: string): Promise<string> {
  const present = await readIfThere(path);
  if (present !== undefined) return present;
  try {
    await place(path, text, async (temporary) => await link(temporary, path));
    return text;
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    return await readFile(path, 'utf8');
  }
}

async function place(
  path: string,
  text: string,
  putInPlace: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await using file = await open(temporary, 'wx', ownerOnly);
    await file.writeFile(text);
    await file.sync();
    await putInPlace(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
  await using directory = await open(dirname(path), 'r');
  await directory.sync();
}
