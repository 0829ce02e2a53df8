import { open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Abortable, type Clock, HoldfastError, systemErrorCode, throwIfAborted } from '@holdfast/base';
import { type Upload, type UploadId, uploadIdSchema } from '@holdfast/protocol';
import type { Ids } from '../../catalog/ids.ts';
import { makePrivateDirectory } from '../../secrets/private-directory.ts';

/** How long an upload waits to be used. */
const keptMs = 24 * 3_600_000;
/** What an upload that is not complete has behind its name. */
const unfinished = '.part';

/**
 * Files that somebody handed in, to be imported: in a folder of the data directory, on this server only. One that nobody
 * used for a day is removed.
 */
export interface UploadService {
  /**
   * Keeps a file, with no more than a piece of it in memory; it counts once all of it is on stable storage.
   * @throws HoldfastError `upload-too-large`, `upload-incomplete`, `storage-full`, `storage-not-writable`
   */
  take(file: AsyncIterable<Uint8Array>, options: Abortable): Promise<Upload>;
  /** Its path; from now on it is kept for another day. @throws HoldfastError `upload-unknown` */
  use(id: UploadId): Promise<string>;
  /** One that is not there is fine. */
  remove(id: UploadId): Promise<void>;
  removeOld(): Promise<void>;
}

export interface UploadServiceOptions {
  readonly folder: string;
  readonly limitBytes: number;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'upload'>;
}

export function createUploadService({ folder, limitBytes, clock, ids }: UploadServiceOptions): UploadService {
  const pathOf = (id: UploadId): string => join(folder, id);

  async function keep(file: AsyncIterable<Uint8Array>, path: string, { signal }: Abortable): Promise<number> {
    await using kept = await open(path, 'wx', 0o600);
    let bytes = 0;
    for await (const piece of file) {
      throwIfAborted(signal);
      bytes += piece.length;
      if (bytes > limitBytes) throw tooLarge(limitBytes);
      await kept.writeFile(piece);
    }
    await kept.sync();
    return bytes;
  }

  async function removeOld(): Promise<void> {
    for (const name of await namesIn(folder)) {
      const isOurs = uploadIdSchema.safeParse(name.replace(unfinished, '')).success;
      if (isOurs && (await ageOf(join(folder, name), clock)) > keptMs)
        await rm(join(folder, name), { force: true });
    }
  }

  return {
    take: async (file, { signal }) => {
      await removeOld();
      const id = ids.upload();
      const path = pathOf(id);
      try {
        await makePrivateDirectory(folder);
        const bytes = await keep(file, `${path}${unfinished}`, { signal });
        await rename(`${path}${unfinished}`, path);
        await using directory = await open(folder, 'r');
        await directory.sync();
        return { id, bytes, expiresAtMs: clock.now() + keptMs };
      } catch (error) {
        await rm(`${path}${unfinished}`, { force: true });
        throwIfAborted(signal);
        throw storageError(error);
      }
    },

    use: async (id) => {
      const now = new Date(clock.now());
      try {
        await utimes(pathOf(id), now, now);
        return pathOf(id);
      } catch (error) {
        if (systemErrorCode(error) !== 'ENOENT') throw storageError(error);
        throw new HoldfastError('upload-unknown', `There is no upload ${id}.`, {
          hint: 'It was imported already, is of another server, or was not used for a day. Upload it again.',
          context: { uploadId: id },
        });
      }
    },

    remove: async (id) => {
      await rm(pathOf(id), { force: true });
    },

    removeOld,
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw storageError(error);
  }
}

/** One that has just gone has no age. */
async function ageOf(path: string, clock: Clock): Promise<number> {
  try {
    return clock.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return 0;
    throw storageError(error);
  }
}

function tooLarge(limitBytes: number): HoldfastError {
  return new HoldfastError('upload-too-large', `The upload has more than ${limitBytes} bytes.`, {
    hint: 'An administrator can raise the limit (import-limit-bytes, in docs/configuration.md).',
    context: { limitBytes },
  });
}

function storageError(error: unknown): unknown {
  if (error instanceof HoldfastError) return error;
  const code = systemErrorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new HoldfastError('storage-full', 'There is no room for the upload.', {
      hint: 'Make room where the data directory of Holdfast is.',
      cause: error,
    });
  }
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new HoldfastError('upload-incomplete', 'The upload broke off.', {
      hint: 'Send it again.',
      cause: error,
    });
  }
  if (code === undefined) return error;
  return new HoldfastError('storage-not-writable', `The upload cannot be kept: ${code}.`, {
    hint: 'Check the owner and the mode of the folder "uploads" in the data directory of Holdfast.',
    cause: error,
  });
}
