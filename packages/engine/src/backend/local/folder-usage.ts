import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Abortable, systemErrorCode, throwIfAborted } from '@holdfast/base';
import type { FolderUsage } from '../plain-files.ts';

const statsAtOnce = 32;

/** Counts files, entry by entry; what goes meanwhile is left out. Other file systems below it count, too. */
export async function usageBelow(folder: string, { signal }: Abortable): Promise<FolderUsage> {
  let [files, bytes] = [0, 0];
  const folders = [folder];
  const waiting: string[] = [];
  const measure = async (): Promise<void> => {
    for (const sizeBytes of await Promise.all(waiting.splice(0).map(sizeIfThere))) {
      if (sizeBytes === undefined) continue;
      files += 1;
      bytes += sizeBytes;
    }
  };
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for await (const entry of entriesIfThere(next)) {
      throwIfAborted(signal);
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) waiting.push(path);
      if (waiting.length >= statsAtOnce) await measure();
    }
  }
  await measure();
  return { files, bytes };
}

async function* entriesIfThere(folder: string): AsyncGenerator<Dirent, void> {
  try {
    yield* await opendir(folder);
  } catch (error) {
    if (!isNotThere(error)) throw error;
  }
}

async function sizeIfThere(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

function isNotThere(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
