import { throwIfAborted } from '@holdfast/base';
import type { Backend, ByteRange, TransferOptions } from '../backend/backend.ts';
import type { PackId } from '../format/ids.ts';

const pageBytes = 512 * 1024;
const mostPages = 32;

/**
 * Reads small parts of packs by pages, and keeps the pages that were read last. The trees of a backup are in its packs
 * in the order in which they are walked: a page brings hundreds of them, and they need not be read one by one.
 */
export class PackPages {
  readonly #backend: Backend;
  /** By pack and number, the one that was used last at the end. */
  readonly #pages = new Map<string, Promise<Buffer | undefined>>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** That part of the pack, in memory that others use too; shorter if the pack ends before, undefined if it is gone. */
  async read(
    pack: PackId,
    { offset, length }: ByteRange,
    options: TransferOptions,
  ): Promise<Uint8Array | undefined> {
    const first = Math.floor(offset / pageBytes);
    const last = Math.floor((offset + length - 1) / pageBytes);
    const start = offset - first * pageBytes;
    const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const pages = await Promise.all(numbers.map((number) => this.#page(pack, number, options)));
    const [page] = pages;
    if (pages.length === 1) return page?.subarray(start, start + length);
    const whole = pages.filter((each) => each !== undefined);
    return whole.length < pages.length ? undefined : Buffer.concat(whole).subarray(start, start + length);
  }

  async #page(pack: PackId, number: number, options: TransferOptions): Promise<Buffer | undefined> {
    const key = `${number} ${pack}`;
    const known = this.#pages.get(key);
    const page = known ?? this.#load(pack, number, options);
    this.#pages.delete(key);
    this.#pages.set(key, page);
    this.#forgetOldest();
    try {
      return await page;
    } catch (error) {
      if (this.#pages.get(key) === page) this.#pages.delete(key);
      throwIfAborted(options.signal);
      // Somebody else's reading failed, or was interrupted.
      if (known !== undefined) return await this.#load(pack, number, options);
      throw error;
    }
  }

  async #load(pack: PackId, number: number, options: TransferOptions): Promise<Buffer | undefined> {
    const range = { offset: number * pageBytes, length: pageBytes };
    return await this.#backend.loadRange({ kind: 'data', id: pack }, range, options);
  }

  #forgetOldest(): void {
    for (const key of this.#pages.keys()) {
      if (this.#pages.size <= mostPages) return;
      this.#pages.delete(key);
    }
  }
}
