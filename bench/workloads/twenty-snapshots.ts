import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runUntimed } from '../measure/timed-process.ts';
import type { Peer, Place } from '../peers/peer.ts';
import { mixedBytes, RandomBytes } from './generated-bytes.ts';
import type { BuildOptions, WorkloadRecipe } from './workload.ts';

export const snapshotCount = 20;
const fileCount = 8_000;
const largestBytes = 40 * 1024;
const changedShare = 0.08;
const replacedShare = 0.02;

/**
 * Repositories with 20 snapshots of a tree of 8,000 files (160 MiB) of which a tenth changes between two of them: what
 * half of the snapshots leave behind is spread over all packs. `restic` is made by stock restic, `borg` by borg.
 */
export const twentySnapshots: WorkloadRecipe = {
  name: 'twenty-snapshots',
  async build(path, options) {
    const tree = new ChangingTree(`${path}-tree`, Math.floor(fileCount * options.scale));
    const peers = [options.restic, ...(options.borg === undefined ? [] : [options.borg])];
    const places = peers.map((peer): [Peer, Place] => [
      peer,
      snapshotsPlace(path, peer, options.passwordFile),
    ]);
    for (const [peer, place] of places) {
      mkdirSync(join(place.repository, '..'), { recursive: true });
      await runUntimed(peer.init(place), options);
    }
    for (let number = 0; number < snapshotCount; number += 1) {
      if (number > 0) tree.change();
      for (const [peer, place] of places) await backUp(peer, place, { tree, number, options });
    }
    const bytes = tree.bytes();
    tree.remove();
    for (const [, { cache }] of places) rmSync(cache ?? '', { recursive: true, force: true });
    return { files: tree.fileCount, bytes, snapshots: snapshotCount };
  },
};

/** Where the program's repository is in the input. */
export function snapshotsPlace(path: string, peer: Peer, passwordFile: string): Place {
  const folder = join(path, peer.name.split(' ')[0] ?? '');
  return { repository: join(folder, 'repository'), cache: join(folder, 'cache'), passwordFile };
}

interface NumberedBackup {
  readonly tree: ChangingTree;
  readonly number: number;
  readonly options: BuildOptions;
}

async function backUp(peer: Peer, place: Place, { tree, number, options }: NumberedBackup): Promise<void> {
  await runUntimed(peer.backup(place, tree.path, number), options);
}

class ChangingTree {
  readonly path: string;
  readonly #random = new RandomBytes('twenty snapshots');
  readonly #fileCount: number;
  #created = 0;

  constructor(path: string, fileCount: number) {
    this.path = path;
    this.#fileCount = fileCount;
    mkdirSync(path);
    for (let number = 0; number < fileCount; number += 1) this.#create();
  }

  get fileCount(): number {
    return this.#fileCount;
  }

  bytes(): number {
    return this.#files().reduce((sum, file) => sum + statSync(file).size, 0);
  }

  /** Other contents for some files, and others in the place of some. */
  change(): void {
    const files = this.#files();
    for (let number = 0; number < files.length * changedShare; number += 1) {
      this.#write(files[this.#random.integer(files.length)] ?? '');
    }
    for (let number = 0; number < files.length * replacedShare; number += 1) {
      const [removed = ''] = files.splice(this.#random.integer(files.length), 1);
      rmSync(removed);
      this.#create();
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }

  #create(): void {
    const folder = join(this.path, `folder-${this.#created % 100}`);
    mkdirSync(folder, { recursive: true });
    this.#write(join(folder, `file-${this.#created}`));
    this.#created += 1;
  }

  /** The times tell the version: on a fast machine two versions may have one time otherwise. */
  #write(file: string): void {
    writeFileSync(file, mixedBytes(this.#random, 1 + this.#random.integer(largestBytes)));
    const time = 1_767_225_600 + this.#random.integer(1_000_000);
    utimesSync(file, time, time);
  }

  #files(): string[] {
    return readdirSync(this.path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  }
}
