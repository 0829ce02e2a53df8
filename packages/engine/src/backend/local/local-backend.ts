import type { Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Abortable, systemErrorCode, throwIfAborted } from '@holdfast/base';
import { isId } from '../../format/id-codec.ts';
import type {
  Backend,
  ByteRange,
  FileName,
  ListedFile,
  ListedFileKind,
  ListOptions,
  LoadOptions,
  TransferOptions,
} from '../backend.ts';
import { leftoverPattern, syncDirectory, unlinkIfThere, writeFileAtomically } from './atomic-file.ts';
import { allFolders, directoryOf, folders, kindFolders, nameOf, packFolders, pathOf } from './layout.ts';
import { makeDirectory } from './make-directory.ts';
import { readFileIfThere } from './read-file.ts';
import { type Access, storageError } from './storage-error.ts';

interface Modes {
  readonly folder: number;
  readonly file: number;
}

const privateModes: Modes = { folder: 0o700, file: 0o400 };
/** restic's rule: a repository whose config the group may read is shared with the group. */
const groupModes: Modes = { folder: 0o770, file: 0o440 };
const groupReadBit = 0o040;

const statsAtOnce = 32;

/** A repository in a directory of this machine, in restic's default layout. */
export class LocalBackend implements Backend {
  readonly location: string;

  constructor(directory: string) {
    this.location = directory;
  }

  async create({ signal }: Abortable = {}): Promise<void> {
    await this.#guard('write', async () => {
      throwIfAborted(signal);
      const make = (folder: string): Promise<void> => makeDirectory(folder, privateModes.folder);
      await make(this.location);
      await Promise.all(kindFolders(this.location).map(make));
      await Promise.all(packFolders(this.location).map(make));
      await syncDirectory(join(this.location, folders.data));
      await syncDirectory(this.location);
      await syncDirectory(dirname(resolve(this.location)));
    });
  }

  async save(
    file: FileName,
    parts: readonly Uint8Array[],
    { signal, pace }: TransferOptions = {},
  ): Promise<void> {
    throwIfAborted(signal);
    await this.#guard('write', async () => {
      const modes = await this.#readModes();
      await writeFileAtomically(directoryOf(this.location, file), nameOf(file), parts, {
        fileMode: (modes ?? privateModes).file,
        folderMode: modes?.folder,
        isExclusive: file.kind === 'config',
        signal,
        pace,
      });
    });
  }

  async load(file: FileName, options: LoadOptions = {}): Promise<Buffer | undefined> {
    return await this.#read(file, undefined, options);
  }

  async loadRange(file: FileName, range: ByteRange, options: LoadOptions = {}): Promise<Buffer | undefined> {
    return await this.#read(file, range, options);
  }

  async stat(file: FileName, { signal }: Abortable = {}): Promise<{ sizeBytes: number } | undefined> {
    throwIfAborted(signal);
    const stats = await this.#guard('read', () => statIfThere(pathOf(this.location, file)));
    return stats === undefined ? undefined : { sizeBytes: stats.size };
  }

  async *list(kind: ListedFileKind, { signal, after = '' }: ListOptions = {}): AsyncIterable<ListedFile> {
    const inFolders = kind === 'data' ? packFolders(this.location) : [join(this.location, folders[kind])];
    for (const folder of inFolders) {
      const ids = (await this.#guard('read', () => idsIn(folder, kind))).filter((id) => id > after).sort();
      for (let from = 0; from < ids.length; from += statsAtOnce) {
        throwIfAborted(signal);
        const some = ids.slice(from, from + statsAtOnce);
        yield* await this.#guard('read', () => listedFiles(folder, some));
      }
    }
  }

  async remove(file: FileName, { signal }: Abortable = {}): Promise<boolean> {
    throwIfAborted(signal);
    return await this.#guard('write', async () => {
      const wasThere = await unlinkIfThere(pathOf(this.location, file));
      if (wasThere) await syncDirectory(directoryOf(this.location, file));
      return wasThere;
    });
  }

  async removeLeftovers(writtenBeforeMs: number, { signal }: Abortable = {}): Promise<number> {
    let removed = 0;
    for (const folder of allFolders(this.location)) {
      throwIfAborted(signal);
      removed += await this.#guard('write', () => removeLeftoversIn(folder, writtenBeforeMs));
    }
    return removed;
  }

  async #read(
    file: FileName,
    range: ByteRange | undefined,
    { into, signal, pace }: LoadOptions,
  ): Promise<Buffer | undefined> {
    throwIfAborted(signal);
    const bytes = await this.#guard('read', () =>
      readFileIfThere(pathOf(this.location, file), { range, into }),
    );
    if (bytes !== undefined) await pace?.(bytes.length, { signal });
    return bytes;
  }

  /** undefined while there is no config: a repository that is not made yet, or whose disk is not there any more. */
  async #readModes(): Promise<Modes | undefined> {
    const config = await statIfThere(pathOf(this.location, { kind: 'config' }));
    return config && ((config.mode & groupReadBit) === 0 ? privateModes : groupModes);
  }

  async #guard<T>(access: Access, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storageError(error, this.location, access);
    }
  }
}

/**
 * A copy that was made without empty folders lacks some of these. A repository without keys, indexes or snapshots is
 * more likely one whose disk is not there, and must not be taken for an empty one.
 */
const mayBeAbsent: readonly ListedFileKind[] = ['data', 'lock'];

async function idsIn(folder: string, kind: ListedFileKind): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => isId(entry.name) && entry.isFile()).map((entry) => entry.name);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' && mayBeAbsent.includes(kind)) return [];
    throw error;
  }
}

async function listedFiles(folder: string, ids: readonly string[]): Promise<ListedFile[]> {
  const listed = await Promise.all(
    ids.map(async (id) => ({ id, sizeBytes: (await statIfThere(join(folder, id)))?.size })),
  );
  return listed.flatMap(({ id, sizeBytes }) => (sizeBytes === undefined ? [] : [{ id, sizeBytes }]));
}

async function removeLeftoversIn(folder: string, writtenBeforeMs: number): Promise<number> {
  let removed = 0;
  for (const name of await namesIn(folder)) {
    if (!leftoverPattern.test(name)) continue;
    const path = join(folder, name);
    const isOld = (await lstat(path)).mtimeMs < writtenBeforeMs;
    if (isOld && (await unlinkIfThere(path))) removed += 1;
  }
  return removed;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
