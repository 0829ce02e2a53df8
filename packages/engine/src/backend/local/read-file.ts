import { type FileHandle, open } from 'node:fs/promises';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { ByteRange } from '../backend.ts';
import { memoryFor } from '../memory-for.ts';

/** No file of a repository is this large: a pack ends long before. */
const maxFileBytes = 1024 * 1024 * 1024;

export interface ReadFileOptions {
  /** Default: all of it. */
  readonly range?: ByteRange | undefined;
  /** See `LoadOptions`. */
  readonly into?: Buffer | undefined;
}

/** The file, or that part of it, shorter if the file ends before; undefined if there is no file. */
export async function readFileIfThere(
  path: string,
  { range, into }: ReadFileOptions = {},
): Promise<Buffer | undefined> {
  try {
    await using handle = await open(path, 'r');
    return await readRange(handle, range ?? (await wholeFile(handle)), into);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function wholeFile(handle: FileHandle): Promise<ByteRange> {
  const { size } = await handle.stat();
  if (size > maxFileBytes) {
    throw new HoldfastError('repository-damaged', 'A file of the repository is impossibly large.', {
      context: { sizeBytes: size },
    });
  }
  return { offset: 0, length: size };
}

/** That part of an open file, shorter if the file ends before. */
export async function readRange(
  handle: FileHandle,
  { offset, length }: ByteRange,
  into?: Buffer,
): Promise<Buffer> {
  const bytes = memoryFor(length, into);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
