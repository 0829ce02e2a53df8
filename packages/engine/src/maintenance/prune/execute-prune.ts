import { type Abortable, HoldfastError, isHoldfastError } from '@holdfast/base';
import type { FileName } from '../../backend/backend.ts';
import { BlobSource } from '../../repository/blob-source.ts';
import { packFate } from './choose-packs.ts';
import { IndexWriter } from './index-writer.ts';
import { writeNewIndexes } from './new-indexes.ts';
import type { PruneProgress } from './prune-options.ts';
import type { PrunePlan, PruneWork } from './prune-plan.ts';
import { refuseOnDamage } from './prune-refused.ts';
import { removeFiles } from './remove-files.ts';
import { Repacker, type RepackResult } from './repacker.ts';

/** A save that takes longer than this has no process any more. */
const leftoverAgeMs = 24 * 3_600_000;

export interface ExecuteOptions extends Abortable {
  readonly onProgress?: ((progress: PruneProgress) => void) | undefined;
}

export interface PruneResult {
  readonly packsRemoved: number;
  readonly packsWritten: number;
  /** How much smaller the packs are together; below zero where next to nothing was removed. */
  readonly bytesFreed: number;
  /** Files of interrupted saves that were removed beside the packs. */
  readonly leftoversRemoved: number;
}

/**
 * Does what the plan says. Order of writes: new packs, new indexes, then the old indexes go, then the old packs. What
 * is killed in between leaves every snapshot whole, and the next prune completes it. Nothing is deleted before
 * everything that is needed was proven to be on stable storage under a new index.
 *
 * The repository's `blobs` know nothing afterwards, until the next `refreshIndex`.
 *
 * @throws HoldfastError `prune-refused` when a blob that has to be copied is damaged: nothing was deleted;
 *   `repository-lock-lost`; `usage-invalid` for a plan that was executed before, or cannot be
 */
export async function executePrune(plan: PrunePlan, options: ExecuteOptions = {}): Promise<PruneResult> {
  const work = plan.takeWork();
  if (work === undefined) {
    throw new HoldfastError('usage-invalid', 'This plan to prune cannot be executed, or was before.', {
      hint: 'Make a new plan.',
    });
  }
  const { lock, repository } = work;
  const signal = AbortSignal.any(options.signal ? [options.signal, lock.signal] : [lock.signal]);
  await lock.confirm({ signal });
  try {
    return await refuseOnDamage(() => new PruneExecution(work, { ...options, signal }).run());
  } finally {
    repository.storage.indexes.clear();
  }
}

class PruneExecution {
  readonly #work: PruneWork;
  readonly #signal: AbortSignal;
  readonly #onProgress: (progress: PruneProgress) => void;
  readonly #indexWriter: IndexWriter;

  constructor(work: PruneWork, { signal, onProgress }: ExecuteOptions & { readonly signal: AbortSignal }) {
    this.#work = work;
    this.#signal = signal;
    this.#onProgress = onProgress ?? (() => {});
    this.#indexWriter = new IndexWriter(work.repository.storage.files, work.lock);
  }

  async run(): Promise<PruneResult> {
    const { toRemove, forgetsPacks } = this.#work;
    const repacked = await this.#repack();
    if (forgetsPacks) await this.#replaceIndexes();
    await this.#removeAll(
      toRemove.map(({ id }) => ({ kind: 'data', id })),
      'delete',
    );
    const removedBytes = toRemove.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    return {
      packsRemoved: toRemove.length,
      packsWritten: repacked.packsWritten,
      bytesFreed: removedBytes - repacked.bytesWritten,
      leftoversRemoved: await this.#removeLeftovers(),
    };
  }

  /** What was copied before a failure gets into an index: the next prune need not copy it again. */
  async #repack(): Promise<RepackResult> {
    const { repository, repackCount, toRepack } = this.#work;
    const { backend, key } = repository.storage;
    const repacker = new Repacker({
      backend,
      key,
      blobs: new BlobSource(repository.storage),
      indexWriter: this.#indexWriter,
      signal: this.#signal,
    });
    let done = 0;
    try {
      return await repacker.run(toRepack(), () => {
        done += 1;
        this.#onProgress({ step: 'repack', done, total: repackCount });
      });
    } catch (error) {
      await this.#keepCopies();
      throw withRoomHint(error);
    }
  }

  async #keepCopies(): Promise<void> {
    try {
      await this.#indexWriter.flush({});
    } catch {
      // Without an index they are unreferenced: the next prune removes them.
    }
  }

  async #replaceIndexes(): Promise<void> {
    const { fates } = this.#work;
    const isKept = (pack: number): boolean => fates[pack] === packFate.keep;
    const replacement = { ...this.#work, isKept };
    const replaced = await writeNewIndexes(replacement, this.#indexWriter, { signal: this.#signal });
    await this.#removeAll(
      replaced.map((id) => ({ kind: 'index', id })),
      'index',
    );
  }

  async #removeAll(files: readonly FileName[], step: PruneProgress['step']): Promise<void> {
    const { lock, repository } = this.#work;
    let done = 0;
    await removeFiles(repository.storage.backend, files, {
      lock,
      signal: this.#signal,
      onRemoved: () => {
        done += 1;
        this.#onProgress({ step, done, total: files.length });
      },
    });
  }

  async #removeLeftovers(): Promise<number> {
    const { lock, repository } = this.#work;
    const { backend, clock } = repository.storage;
    lock.assertHeld();
    return await backend.removeLeftovers(clock.now() - leftoverAgeMs, { signal: this.#signal });
  }
}

function withRoomHint(error: unknown): unknown {
  if (!isHoldfastError(error, 'storage-full')) return error;
  return new HoldfastError('storage-full', error.message, {
    hint: 'To free room without needing any, repack nothing: --max-repack-size 0.',
    context: error.context,
    cause: error,
  });
}
