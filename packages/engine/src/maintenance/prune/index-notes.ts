import { idBytes } from '../../format/id-codec.ts';
import type { IndexId, PackId } from '../../format/ids.ts';
import type { IndexColumns } from '../../format/index-columns.ts';
import { IdTable } from '../../index/id-table.ts';
import { maxIndexBlobs } from '../../repository/index-store.ts';

interface NotedFile {
  /** Numbers in the table of packs. */
  readonly packs: Uint32Array;
  readonly blobCount: number;
  readonly supersedes: readonly IndexId[];
}

/** Which index file names which packs: noted while the files are read, so that nobody has to read them again. */
export class IndexNotes {
  readonly #packs = new IdTable();
  readonly #files = new Map<IndexId, NotedFile>();

  note(id: IndexId, { packCount, packIds, blobCount, supersedes }: IndexColumns): void {
    const packs = Uint32Array.from({ length: packCount }, (_, pack) =>
      this.#packs.addBytes(packIds, pack * idBytes),
    );
    this.#files.set(id, { packs, blobCount, supersedes });
  }

  /** True when there are files that no longer count, and may name packs that nothing else names. */
  get hasSuperseded(): boolean {
    return [...this.#superseded()].some((id) => this.#files.has(id));
  }

  /**
   * The files that go when these packs are forgotten, and all packs that they name: those that name one of them,
   * those that another supersedes, which have to go first, and small ones, to have fewer.
   */
  filesToReplace(isForgotten: (packId: PackId) => boolean): {
    readonly files: readonly IndexId[];
    readonly packIds: Iterable<PackId>;
  } {
    const forgotten = new Uint8Array(this.#packs.size);
    for (let pack = 0; pack < forgotten.length; pack += 1) {
      if (isForgotten(this.#packs.idAt(pack) as PackId)) forgotten[pack] = 1;
    }
    const superseded = this.#superseded();
    const replaced = [...this.#files]
      .filter(
        ([id, { packs, blobCount }]) =>
          superseded.has(id) || blobCount < maxIndexBlobs / 2 || packs.some((pack) => forgotten[pack] === 1),
      )
      // Without the one that supersedes it, such a file would count again.
      .sort(([a], [b]) => Number(superseded.has(b)) - Number(superseded.has(a)));
    return { files: replaced.map(([id]) => id), packIds: this.#packIdsOf(replaced.map(([, file]) => file)) };
  }

  #superseded(): ReadonlySet<IndexId> {
    return new Set([...this.#files.values()].flatMap(({ supersedes }) => supersedes));
  }

  *#packIdsOf(files: readonly NotedFile[]): Generator<PackId, void> {
    for (const { packs } of files) {
      for (const pack of packs) yield this.#packs.idAt(pack) as PackId;
    }
  }
}
