import { constants, type Dirent } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Abortable, isHoldfastError, systemErrorCode, throwIfAborted } from '@holdfast/base';
import {
  assertPlainName,
  assertPlainSize,
  type FolderUsage,
  isPlainComponent,
  type PlainFileStatus,
  type PlainFiles,
  type PlainWriteOptions,
} from '../plain-files.ts';
import { syncDirectory, unlinkIfThere, writeFileAtomically } from './atomic-file.ts';
import { usageBelow } from './folder-usage.ts';
import { makeDirectory } from './make-directory.ts';
import { readRange } from './read-file.ts';
import { type Access, storageError } from './storage-error.ts';

const fileMode = 0o600;
const folderMode = 0o700;

/** Also what is said of a folder that has the name of a file, and the other way round. */
const notThereCodes: readonly (string | undefined)[] = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ENXIO'];

/** Plain files in a directory of this machine. What is no regular file is not there. */
export class LocalPlainFiles implements PlainFiles {
  readonly location: string;

  constructor(directory: string) {
    this.location = directory;
  }

  async create({ signal }: Abortable = {}): Promise<void> {
    await this.#guard('write', signal, async () => {
      await makeDirectory(this.location, folderMode);
      await syncDirectory(dirname(resolve(this.location)));
    });
  }

  async read(name: string, { signal }: Abortable = {}): Promise<Buffer | undefined> {
    return await this.#withFile(name, signal, async (file, { sizeBytes }) => {
      assertPlainSize(sizeBytes);
      return await readRange(file, { offset: 0, length: sizeBytes });
    });
  }

  async write(
    name: string,
    bytes: Uint8Array,
    { ifNew = false, signal }: PlainWriteOptions = {},
  ): Promise<boolean> {
    assertPlainName(name);
    assertPlainSize(bytes.length);
    const [file = name, ...folders] = name.split('/').reverse();
    return await this.#guard('write', signal, async () => {
      const folder = await this.#makeFolders(folders.reverse());
      const options = { fileMode, folderMode: undefined, isExclusive: ifNew, signal };
      try {
        await writeFileAtomically(folder, file, [bytes], options);
        return true;
      } catch (error) {
        if (ifNew && isHoldfastError(error, 'repository-exists')) return false;
        throw error;
      }
    });
  }

  async remove(name: string, { signal }: Abortable = {}): Promise<boolean> {
    const path = this.#pathOf(name);
    return await this.#guard('write', signal, async () => {
      const wasThere = await this.#unlessGone(unlinkIfThere(path));
      if (wasThere === true) await syncDirectory(dirname(path));
      else await this.#assertThere();
      return wasThere === true;
    });
  }

  async stat(name: string, { signal }: Abortable = {}): Promise<PlainFileStatus | undefined> {
    return await this.#withFile(name, signal, async (_, status) => status);
  }

  async listFolders({ signal }: Abortable = {}): Promise<readonly string[]> {
    return await this.#guard('read', signal, async () => {
      const entries = await readdir(this.location, { withFileTypes: true });
      const named = entries.filter(({ name }) => isPlainComponent(name));
      const folders = await Promise.all(named.map((entry) => this.#isFolder(entry)));
      return named
        .filter((_, position) => folders[position] === true)
        .map(({ name }) => name)
        .sort();
    });
  }

  async usage(folder: string, { signal }: Abortable = {}): Promise<FolderUsage> {
    const path = this.#pathOf(folder);
    return await this.#guard('read', signal, async () => {
      const usage = await usageBelow(path, { signal });
      if (usage.files === 0) await this.#assertThere();
      return usage;
    });
  }

  #pathOf(name: string): string {
    assertPlainName(name);
    return join(this.location, name);
  }

  /** Waits for nobody: a pipe of that name would let who opens it wait. */
  async #withFile<T>(
    name: string,
    signal: AbortSignal | undefined,
    work: (file: FileHandle, status: PlainFileStatus) => Promise<T>,
  ): Promise<T | undefined> {
    const path = this.#pathOf(name);
    return await this.#guard('read', signal, async () => {
      const opened = await this.#unlessGone(open(path, constants.O_RDONLY | constants.O_NONBLOCK));
      if (opened === undefined) {
        await this.#assertThere();
        return undefined;
      }
      await using file = opened;
      const stats = await file.stat();
      if (!stats.isFile()) return undefined;
      return await work(file, { sizeBytes: stats.size, modifiedAtMs: Math.floor(stats.mtimeMs) });
    });
  }

  /** Those between the place, which has to be there, and a file. */
  async #makeFolders(names: readonly string[]): Promise<string> {
    let folder = this.location;
    for (const name of names) {
      const above = folder;
      folder = join(above, name);
      try {
        await mkdir(folder, { mode: folderMode });
        await syncDirectory(above);
      } catch (error) {
        if (systemErrorCode(error) !== 'EEXIST') throw error;
      }
    }
    return folder;
  }

  async #isFolder(entry: Dirent): Promise<boolean> {
    if (!entry.isSymbolicLink()) return entry.isDirectory();
    const target = await this.#unlessGone(stat(join(this.location, entry.name)));
    return target?.isDirectory() === true;
  }

  /** @throws system error where the directory itself is gone: its disk may be. */
  async #assertThere(): Promise<void> {
    await stat(this.location);
  }

  async #unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      if (notThereCodes.includes(systemErrorCode(error))) return undefined;
      throw error;
    }
  }

  async #guard<T>(access: Access, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    try {
      return await work();
    } catch (error) {
      throw storageError(error, this.location, access);
    }
  }
}
