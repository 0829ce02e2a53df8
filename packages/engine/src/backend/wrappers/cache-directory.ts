import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isId } from '../../format/id-codec.ts';
import type { ByteRange } from '../backend.ts';
import { folders } from '../local/layout.ts';
import { readFileIfThere } from '../local/read-file.ts';

export const cachedKinds = ['index', 'snapshot', 'data'] as const;
export type CachedKind = (typeof cachedKinds)[number];

export interface CachedFile {
  readonly kind: CachedKind;
  readonly id: string;
}

const monthMs = 30 * 24 * 60 * 60_000;
const hourMs = 60 * 60_000;

/** Tells programs that copy or search everything to leave the directory out: https://bford.info/cachedir/ */
const cacheTag = 'Signature: 8a477f597d28d172789f06886806bc55\n';

/**
 * Copies of a repository's files on the local disk. No call rejects: a failure of the disk is like a file that is not
 * there, or is not kept.
 */
export class CacheDirectory {
  readonly #path: string;
  #isWritable = true;
  #isPrepared: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** False once a file could not be written. */
  get isWritable(): boolean {
    return this.#isWritable;
  }

  /** Not checked in any way. */
  async read(file: CachedFile): Promise<Buffer | undefined> {
    try {
      const contents = await readFileIfThere(this.#pathOf(file));
      const now = new Date();
      if (contents !== undefined && this.#isWritable) await utimes(this.#pathOf(file), now, now);
      return contents;
    } catch {
      return undefined;
    }
  }

  async readRange(file: CachedFile, range: ByteRange): Promise<Buffer | undefined> {
    try {
      return await readFileIfThere(this.#pathOf(file), { range });
    } catch {
      return undefined;
    }
  }

  /** Whether it is there now. Readers see it whole or not at all. */
  async write(file: CachedFile, parts: readonly Uint8Array[]): Promise<boolean> {
    if (!this.#isWritable) return false;
    const temporary = `${this.#pathOf(file)}-tmp-${randomUUID()}`;
    try {
      this.#isPrepared ??= this.#prepare();
      await this.#isPrepared;
      await writeFile(temporary, parts, { mode: 0o600, flag: 'wx' });
      await rename(temporary, this.#pathOf(file));
      return true;
    } catch {
      this.#isWritable = false;
      await unlinkIfPossible(temporary);
      return false;
    }
  }

  async remove(file: CachedFile): Promise<void> {
    await unlinkIfPossible(this.#pathOf(file));
  }

  async ids(kind: CachedKind): Promise<string[]> {
    return (await this.#names(kind)).filter(isId);
  }

  async #prepare(): Promise<void> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
    await writeFile(join(this.#path, 'CACHEDIR.TAG'), cacheTag);
    for (const kind of cachedKinds) {
      await mkdir(this.#folderOf(kind), { recursive: true, mode: 0o700 });
      await this.#removeUnused(kind);
    }
  }

  /** Also what a process left that died while it wrote. */
  async #removeUnused(kind: CachedKind): Promise<void> {
    const nowMs = Date.now();
    for (const name of await this.#names(kind)) {
      const path = join(this.#folderOf(kind), name);
      const ageMs = nowMs - (await stat(path)).mtimeMs;
      if (ageMs > (isId(name) ? monthMs : hourMs)) await unlinkIfPossible(path);
    }
  }

  async #names(kind: CachedKind): Promise<string[]> {
    try {
      return await readdir(this.#folderOf(kind));
    } catch {
      return [];
    }
  }

  #folderOf(kind: CachedKind): string {
    return join(this.#path, folders[kind]);
  }

  #pathOf({ kind, id }: CachedFile): string {
    return join(this.#folderOf(kind), id);
  }
}

async function unlinkIfPossible(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch {
    // Not there, or not ours to remove: it is no more than room taken on the disk.
  }
}
