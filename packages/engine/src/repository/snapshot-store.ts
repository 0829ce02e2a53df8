import { type Abortable, HoldfastError, isHoldfastError } from '@holdfast/base';
import type { SnapshotId } from '../format/ids.ts';
import { decodeSnapshot, encodeSnapshot, type SnapshotRecord } from '../format/snapshot-file.ts';
import type { BlobReader } from './blob-store.ts';
import type { RepositoryLock } from './repository-lock.ts';
import type { SealedFiles } from './sealed-files.ts';
import { matchesFilter, type SnapshotFilter } from './snapshot-filter.ts';

export interface Snapshot extends SnapshotRecord {
  readonly id: SnapshotId;
}

export interface DamagedSnapshot {
  readonly id: SnapshotId;
  readonly error: HoldfastError;
}

export interface SnapshotList {
  /** The oldest first. */
  readonly snapshots: readonly Snapshot[];
  /** Files among the snapshots that cannot be read. */
  readonly damaged: readonly DamagedSnapshot[];
}

export interface LockedOptions extends Abortable {
  /** Proves that nobody prunes meanwhile. */
  readonly lock: RepositoryLock;
}

const loadsAtOnce = 16;

/** The snapshots of a repository. */
export class SnapshotStore {
  readonly #files: SealedFiles;
  readonly #blobs: BlobReader;

  constructor(files: SealedFiles, blobs: BlobReader) {
    this.#files = files;
    this.#blobs = blobs;
  }

  async list({ signal, ...filter }: SnapshotFilter & Abortable = {}): Promise<SnapshotList> {
    const ids = (await this.#files.list('snapshot', { signal })).map(({ id }) => id);
    const snapshots: Snapshot[] = [];
    const damaged: DamagedSnapshot[] = [];
    for (let from = 0; from < ids.length; from += loadsAtOnce) {
      const some = ids.slice(from, from + loadsAtOnce);
      for (const found of await Promise.all(some.map((id) => this.#loadOrDamage(id, { signal })))) {
        if (found === undefined) continue;
        if ('error' in found) damaged.push(found);
        else if (matchesFilter(found, filter)) snapshots.push(found);
      }
    }
    return { snapshots: snapshots.sort(byTime), damaged };
  }

  /**
   * The snapshot that a user means by its id, the beginning of its id, or `latest`: the newest that fits the filter.
   * @throws HoldfastError `snapshot-unknown`; `snapshot-ambiguous` when several ids begin like this;
   *   `repository-damaged` when it cannot be read or, for `latest`, when one that cannot be read may be the newest
   */
  async find(reference: string, options: SnapshotFilter & Abortable = {}): Promise<Snapshot> {
    if (reference === 'latest') return await this.#latest(options);
    const id = await this.#resolve(reference, options);
    return (await this.#load(id, options)) ?? unknown(reference);
  }

  /**
   * Writes a snapshot. Only after the writer of its blobs was flushed.
   * @throws HoldfastError `repository-lock-lost`; `blob-missing` when no index names its tree
   */
  async save(record: SnapshotRecord, { lock, signal }: LockedOptions): Promise<Snapshot> {
    if (!this.#blobs.hasBlob('tree', record.tree)) {
      throw new HoldfastError('blob-missing', 'The tree of a new snapshot is not in the repository.', {
        context: { treeId: record.tree },
      });
    }
    await lock.confirm({ signal });
    const id = await this.#files.save('snapshot', encodeSnapshot(record), { signal });
    return { ...record, id };
  }

  /**
   * Removes one snapshot; false if there was none. Its blobs stay, so a shared lock is enough.
   * @throws HoldfastError `repository-lock-lost`
   */
  async remove(id: SnapshotId, { lock, signal }: LockedOptions): Promise<boolean> {
    await lock.confirm({ signal });
    return await this.#files.remove('snapshot', id, { signal });
  }

  async #latest(options: SnapshotFilter & Abortable): Promise<Snapshot> {
    const { snapshots, damaged } = await this.list(options);
    const [first] = damaged;
    if (first !== undefined) {
      throw new HoldfastError(
        'repository-damaged',
        `Snapshot ${first.id} is damaged and may be the latest.`,
        {
          hint: 'Name the snapshot by its id.',
          context: { damaged: damaged.map(({ id }) => id) },
          cause: first.error,
        },
      );
    }
    return snapshots.at(-1) ?? unknown('latest');
  }

  async #resolve(reference: string, options: Abortable): Promise<SnapshotId> {
    const prefix = reference.toLowerCase();
    const ids = (await this.#files.list('snapshot', options)).map(({ id }) => id);
    const matching = /^[0-9a-f]+$/.test(prefix) ? ids.filter((id) => id.startsWith(prefix)) : [];
    const [first, ...others] = matching;
    if (first === undefined) return unknown(reference);
    if (others.length === 0) return first;
    throw new HoldfastError('snapshot-ambiguous', `Several snapshots begin with "${reference}".`, {
      hint: 'Give more of the id.',
      context: { snapshotIds: matching },
    });
  }

  async #load(id: SnapshotId, options: Abortable): Promise<Snapshot | undefined> {
    const document = await this.#files.load('snapshot', id, options);
    return document && { ...decodeSnapshot(document, `snapshot ${id}`), id };
  }

  async #loadOrDamage(id: SnapshotId, options: Abortable): Promise<Snapshot | DamagedSnapshot | undefined> {
    try {
      return await this.#load(id, options);
    } catch (error) {
      if (isHoldfastError(error, 'repository-damaged')) return { id, error };
      throw error;
    }
  }
}

function byTime(a: Snapshot, b: Snapshot): number {
  if (a.time.epochNs !== b.time.epochNs) return a.time.epochNs < b.time.epochNs ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

function unknown(reference: string): never {
  throw new HoldfastError('snapshot-unknown', `There is no snapshot "${reference}".`, {
    hint: 'List the snapshots to see which there are.',
  });
}
