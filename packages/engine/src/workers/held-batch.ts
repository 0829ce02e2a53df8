import { sealOverheadBytes } from '../crypto/seal.ts';
import type { SealedBlob } from '../pack/blob-seal.ts';
import type { EngineThread } from './engine-thread.ts';
import type { SharedArena } from './shared-arena.ts';
import { takeSealed } from './take-sealed.ts';
import type { WorkerPool } from './worker-pool.ts';

interface Chosen {
  readonly position: number;
  readonly sizeBytes: number;
  readonly take: (blob: SealedBlob) => unknown;
}

export interface Holder {
  readonly pool: WorkerPool;
  readonly thread: EngineThread;
  /** For what is sealed. */
  readonly memory: SharedArena;
}

/** What a worker holds of one batch; it is told to seal once it is known of each blob whether it is new. */
export class HeldBatch {
  readonly #holder: Holder;
  readonly #hold: number;
  readonly #chosen: Chosen[] = [];
  readonly #results = Promise.withResolvers<readonly unknown[]>();
  #undecided: number;

  constructor(holder: Holder, hold: number, blobs: number) {
    this.#holder = holder;
    this.#hold = hold;
    this.#undecided = blobs;
    // Who waits for a blob of it gets the failure.
    this.#results.promise.catch(() => {});
    if (blobs === 0) this.#send();
  }

  async seal<Result>(chosen: Chosen & { readonly take: (blob: SealedBlob) => Result }): Promise<Result> {
    const at = this.#chosen.push(chosen) - 1;
    this.#decide();
    return (await this.#results.promise)[at] as Result;
  }

  drop(): void {
    this.#decide();
  }

  #decide(): void {
    this.#undecided -= 1;
    if (this.#undecided === 0) this.#send();
  }

  #send(): void {
    this.#sealChosen().then(this.#results.resolve, this.#results.reject);
  }

  async #sealChosen(): Promise<readonly unknown[]> {
    const { pool, thread, memory } = this.#holder;
    const boundBytes = this.#chosen.reduce(
      (total, { sizeBytes }) => total + sizeBytes + sealOverheadBytes,
      0,
    );
    const chosen = this.#chosen.map(({ position }) => position);
    const takers = this.#chosen.map(({ take }) => take);
    const sealInto = async (into: Buffer | undefined): Promise<readonly unknown[]> => {
      const request = { hold: this.#hold, chosen, into };
      const places = await pool.call(thread, { name: 'sealHeld', request });
      return into === undefined ? [] : takeSealed(into, places, takers);
    };
    return chosen.length === 0 ? await sealInto(undefined) : await memory.use(boundBytes, sealInto);
  }
}
