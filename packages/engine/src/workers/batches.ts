export interface BatchLimits {
  readonly count: number;
  readonly bytes: number;
}

type Perform<Item, Result> = (items: readonly Item[]) => Promise<readonly (Result | Error)[]>;

interface Waiting<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers what is added until a batch is full, or until the thread has nothing else to do: so that a message between
 * threads carries many small things.
 */
export class Batches<Item, Result> {
  readonly #limits: BatchLimits;
  readonly #perform: Perform<Item, Result>;
  #items: Item[] = [];
  #waiting: Waiting<Result>[] = [];
  #bytes = 0;
  #flush: NodeJS.Immediate | undefined;

  /** `perform` answers with a result or an error for each item, in their order. */
  constructor(limits: BatchLimits, perform: Perform<Item, Result>) {
    this.#limits = limits;
    this.#perform = perform;
  }

  async add(item: Item, sizeBytes: number): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#items.push(item);
    this.#waiting.push({ resolve, reject });
    this.#bytes += sizeBytes;
    if (this.#items.length >= this.#limits.count || this.#bytes >= this.#limits.bytes) this.#send();
    else this.#flush ??= setImmediate(() => this.#send());
    return await promise;
  }

  #send(): void {
    clearImmediate(this.#flush);
    this.#flush = undefined;
    const items = this.#items;
    const waiting = this.#waiting;
    this.#items = [];
    this.#waiting = [];
    this.#bytes = 0;
    this.#perform(items).then(
      (results) => {
        for (const [at, { resolve, reject }] of waiting.entries()) {
          const result = results[at];
          if (result instanceof Error) reject(result);
          else resolve(result as Result);
        }
      },
      (error: unknown) => {
        for (const { reject } of waiting) reject(error);
      },
    );
  }
}
