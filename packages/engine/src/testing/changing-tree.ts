import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testBytes } from './test-bytes.ts';
import { treeDigest } from './tree-digest.ts';

export interface ChangingTreeSize {
  readonly largeFiles: number;
  readonly largeBytes: number;
  readonly smallFiles: number;
}

const smallFolders = 7;

/** A directory with large and small incompressible files, of which every version changes and removes some. */
export class ChangingTree {
  readonly path: string;
  readonly #seed: number;
  readonly #size: ChangingTreeSize;
  #version = 0;

  constructor(path: string, seed: number, size: ChangingTreeSize) {
    this.path = path;
    this.#seed = seed;
    this.#size = size;
  }

  /** Makes the next version: its number and its digest. */
  change(): { readonly version: number; readonly digest: string } {
    this.#version += 1;
    const { largeFiles, largeBytes, smallFiles } = this.#size;
    for (let large = 0; large < largeFiles; large += 1) {
      if (this.#version === 1 || (large + this.#version) % 3 !== 0) this.#write(`large-${large}`, largeBytes);
    }
    for (let small = 0; small < smallFiles; small += 1) {
      const name = `folder-${small % smallFolders}/small-${small}`;
      const turn = (small + this.#version) % 5;
      if (this.#version === 1 || turn === 0) this.#write(name, 200 + small * 37);
      else if (turn === 1) rmSync(join(this.path, name), { force: true });
    }
    return { version: this.#version, digest: treeDigest(this.path) };
  }

  #write(name: string, sizeBytes: number): void {
    mkdirSync(join(this.path, name, '..'), { recursive: true });
    writeFileSync(join(this.path, name), testBytes(`${this.#seed} ${this.#version} ${name}`, sizeBytes));
  }
}
