import type { Descriptor } from '../filesystem/open.ts';
import type { ByteString } from '../format/byte-string.ts';

/** An open directory of the target. */
export interface OpenTarget {
  readonly directory: number;
  readonly path: ByteString;
  readonly components: readonly ByteString[];
  /** True if this restore has just made it: then nothing is in it. */
  readonly isNew: boolean;
  /** Entries may be removed on this file system; undefined where none may be. */
  readonly removableDevice: bigint | undefined;
  /** What to close when all is in it; undefined for one that somebody else closes. */
  readonly descriptor?: Descriptor;
}

/**
 * A directory of the target that is opened, and made where it is not there, when something of it is restored: with
 * patterns, that may be never. One after the other may ask for it, not several at once.
 */
export class LazyDirectory {
  readonly path: ByteString;
  /** Names from the root of the restore down to it. */
  readonly components: readonly ByteString[];
  readonly #open: () => Promise<OpenTarget>;
  #opened: OpenTarget | undefined;
  #whenOpen: ((opened: OpenTarget) => Promise<void>) | undefined;

  constructor(
    place: { readonly path: ByteString; readonly components: readonly ByteString[] },
    open: () => Promise<OpenTarget>,
  ) {
    this.path = place.path;
    this.components = place.components;
    this.#open = open;
  }

  /** undefined as long as nothing of it was restored. */
  get opened(): OpenTarget | undefined {
    return this.#opened;
  }

  async open(): Promise<OpenTarget> {
    if (this.#opened !== undefined) return this.#opened;
    const opened = await this.#open();
    this.#opened = opened;
    await this.#whenOpen?.(opened);
    return opened;
  }

  /** Does this now if it is open, else as soon as it is, before anything is put into it. */
  async whenOpen(prepare: (opened: OpenTarget) => Promise<void>): Promise<void> {
    if (this.#opened === undefined) this.#whenOpen = prepare;
    else await prepare(this.#opened);
  }
}
