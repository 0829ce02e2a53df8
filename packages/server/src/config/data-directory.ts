import { join } from 'node:path';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import Database from 'better-sqlite3';
import { makePrivateDirectory } from '../secrets/private-directory.ts';

/** The data directory, held by this process alone until it is disposed or the process ends, however that ends. */
export interface DataDirectory extends Disposable {
  readonly path: string;
}

/**
 * Makes the data directory (mode 0700) where it is missing, and takes it for this process.
 *
 * The lock is that of an SQLite file of its own: the kernel gives it up with the process, so that none is ever left
 * over, and SQLite keeps two openings within one process apart, which the kernel would not.
 *
 * @throws HoldfastError `server-already-running`, or `configuration-invalid` when the directory cannot be used
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  try {
    await makePrivateDirectory(path);
  } catch (error) {
    throw unusable(path, error);
  }
  const lock = takeLock(path);
  return {
    path,
    [Symbol.dispose]: () => {
      lock.close();
    },
  };
}

function takeLock(path: string): Database.Database {
  let lock: Database.Database | undefined;
  try {
    lock = new Database(join(path, 'server.lock'), { timeout: 0 });
    lock.exec('begin exclusive');
    return lock;
  } catch (error) {
    lock?.close();
    if (systemErrorCode(error) !== 'SQLITE_BUSY') throw unusable(path, error);
    throw new HoldfastError('server-already-running', `Another server uses the data directory ${path}.`, {
      hint: `Its address and process are in ${join(path, 'server.json')}. Stop it, or give this one a directory of its own (--data).`,
      context: { path },
      cause: error,
    });
  }
}

function unusable(path: string, cause: unknown): HoldfastError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new HoldfastError('configuration-invalid', `The data directory ${path} cannot be used: ${reason}.`, {
    hint: 'Choose a directory on a local disk that the user who runs the server may write (--data or HOLDFAST_DATA).',
    context: { path },
    cause,
  });
}
