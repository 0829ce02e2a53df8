import { type Abortable, HoldfastError, isHoldfastError } from '@holdfast/base';
import type { LockId } from '../format/ids.ts';
import { encodeLockFile } from '../format/lock-file.ts';
import { localTimestamp } from '../format/timestamp.ts';
import type { LockDirectory, LockKind } from './lock-conflict.ts';

const minuteMs = 60_000;
const refreshEveryMs = 5 * minuteMs;
const retryEveryMs = 30_000;

/** Ten minutes before others may take the lock for stale. */
const lostAfterMs = 20 * minuteMs;
const notRefreshed = 'it could not be refreshed for 20 minutes';
const removedBySomebody = 'somebody removed it';

/**
 * A lock that is held. It is refreshed every five minutes until it is released.
 *
 * A holder that was cut off from the storage, suspended, or whose lock somebody removed does not know who works on
 * the repository meanwhile. So whatever writes an index or a snapshot, or deletes, calls `confirm` right before.
 */
export interface RepositoryLock extends AsyncDisposable {
  readonly kind: LockKind;

  /** Fires with `repository-lock-lost` when the lock is known to be lost. */
  readonly signal: AbortSignal;

  /** False when it is lost, released, or was not refreshed for 20 minutes; never true again then. */
  readonly isHeld: boolean;

  /** @throws HoldfastError `repository-lock-lost` unless `isHeld` */
  assertHeld(): void;

  /**
   * The same, after a look at the storage: somebody may have removed the lock, such as a stock `restic unlock` in
   * another pid namespace, which does not find the holder's process.
   * @throws HoldfastError `repository-lock-lost`, and what the storage throws
   */
  confirm(options?: Abortable): Promise<void>;

  /** Removes the lock. One that cannot be removed expires after 30 minutes: nothing is thrown for it. */
  release(): Promise<void>;
}

export class HeldLock implements RepositoryLock {
  readonly kind: LockKind;
  readonly #directory: LockDirectory;
  readonly #files = new Set<LockId>();
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  #refreshing: Promise<void> = Promise.resolve();
  #currentId: LockId | undefined;
  #refreshedAtMs = 0;
  #refreshedAtElapsedMs = 0;

  constructor(directory: LockDirectory, kind: LockKind) {
    this.#directory = directory;
    this.kind = kind;
  }

  /** The lock's newest file; undefined before `write`. */
  get id(): LockId | undefined {
    return this.#currentId;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  get isHeld(): boolean {
    if (!this.#lost.signal.aborted && this.#ageMs() > lostAfterMs) this.#lose(notRefreshed);
    return !this.#lost.signal.aborted && !this.#released.signal.aborted && this.#currentId !== undefined;
  }

  assertHeld(): void {
    if (this.isHeld) return;
    this.#lost.signal.throwIfAborted();
    throw new HoldfastError('repository-lock-lost', 'The lock of the repository was released already.');
  }

  async confirm(options: Abortable = {}): Promise<void> {
    for (;;) {
      this.assertHeld();
      const id = this.#currentId;
      const known = await this.#directory.files.list('lock', options);
      if (known.some((file) => file.id === id)) return;
      // Unless it was refreshed meanwhile.
      if (id === this.#currentId) this.#lose(removedBySomebody);
    }
  }

  async release(): Promise<void> {
    this.#released.abort();
    await this.#refreshing;
    for (const id of this.#files) await this.#removeQuietly(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** Writes a file for the lock, with the present time. */
  async write(signal: AbortSignal | undefined): Promise<void> {
    const { clock, identity } = this.#directory.runtime;
    const [nowMs, elapsedMs] = [clock.now(), clock.elapsed()];
    const document = encodeLockFile({
      time: localTimestamp(BigInt(Math.trunc(nowMs)) * 1_000_000n),
      exclusive: this.kind === 'exclusive',
      ...identity,
      hostname: identity.lockHostname ?? identity.hostname,
    });
    this.#currentId = await this.#directory.files.save('lock', document, { signal });
    this.#files.add(this.#currentId);
    this.#refreshedAtMs = nowMs;
    this.#refreshedAtElapsedMs = elapsedMs;
  }

  startRefreshing(): void {
    this.#refreshing = this.#refreshUntilReleased();
  }

  async #refreshUntilReleased(): Promise<void> {
    const stop = AbortSignal.any([this.#released.signal, this.#lost.signal]);
    let waitMs = refreshEveryMs;
    for (;;) {
      try {
        await this.#directory.runtime.sleep(waitMs, { signal: stop });
        await this.#refresh(stop);
        waitMs = refreshEveryMs;
      } catch (error) {
        if (stop.aborted) return;
        if (isHoldfastError(error, 'repository-lock-lost')) this.#lost.abort(error);
        else if (this.#ageMs() > lostAfterMs) this.#lose(notRefreshed);
        waitMs = retryEveryMs;
      }
    }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    this.assertHeld();
    const previousId = this.#currentId;
    if (previousId === undefined) return;
    const known = await this.#directory.files.list('lock', { signal });
    if (!known.some(({ id }) => id === previousId)) throw lostError(removedBySomebody);
    await this.write(signal);
    await this.#removeQuietly(previousId);
  }

  /** The wall clock tells of a machine that slept, the other one of a wall clock that was set back. */
  #ageMs(): number {
    const { clock } = this.#directory.runtime;
    return Math.max(clock.now() - this.#refreshedAtMs, clock.elapsed() - this.#refreshedAtElapsedMs);
  }

  #lose(reason: string): void {
    this.#lost.abort(lostError(reason));
  }

  async #removeQuietly(id: LockId): Promise<void> {
    try {
      await this.#directory.files.remove('lock', id);
      this.#files.delete(id);
    } catch {
      // Tried again at release; and it expires by itself.
    }
  }
}

function lostError(reason: string): HoldfastError {
  return new HoldfastError('repository-lock-lost', `The lock of the repository was lost: ${reason}.`, {
    hint: 'Nothing was committed since. Check that the storage answers, and start again.',
  });
}
