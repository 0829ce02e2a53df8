import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface Upload {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Uploaded files: one folder, one file each. */
export class Uploads {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  isName(name: string): boolean {
    return namePattern.test(name);
  }

  /** All uploads by name. */
  async list(): Promise<Upload[]> {
    const names = (await readdir(this.#folder)).filter((name) => this.isName(name)).sort();
    return await Promise.all(
      names.map(async (name) => {
        const contents = await readFile(path.join(this.#folder, name));
        const sha256 = createHash('sha256').update(contents).digest('hex');
        return { name, bytes: contents.length, sha256 };
      }),
    );
  }

  async get(name: string): Promise<Buffer | undefined> {
    try {
      return await readFile(path.join(this.#folder, name));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async put(name: string, contents: Buffer): Promise<void> {
    const unfinished = path.join(this.#folder, `.${randomUUID()}`);
    await writeFile(unfinished, contents);
    await rename(unfinished, path.join(this.#folder, name));
  }
}
