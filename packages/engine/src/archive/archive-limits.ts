import { HoldfastError } from '@holdfast/base';

/** What an archive may come to. Each is counted while it is read: what it says of itself is never trusted. */
export interface ArchiveLimits {
  /** Entries, with the directories that had to be made above them. */
  readonly entries: number;
  readonly unpackedBytes: number;
  /** Unpacked bytes for each packed one; looked at from 100 MiB on. */
  readonly ratio: number;
}

const tebi = 2 ** 40;

export const defaultArchiveLimits: ArchiveLimits = { entries: 2_000_000, unpackedBytes: tebi, ratio: 1000 };

/** Less than this harms nobody, and a few zeros compress very well. */
const ratioFromBytes = 100 * 1024 * 1024;

/** Counts what comes out of one archive. */
export class LimitGuard {
  readonly #limits: ArchiveLimits;
  readonly #packedBytes: number;
  #entries = 0;
  #unpackedBytes = 0;

  constructor(limits: ArchiveLimits, packedBytes: number) {
    this.#limits = limits;
    this.#packedBytes = packedBytes;
  }

  /** @throws HoldfastError `archive-limit-reached` */
  addEntry(): void {
    this.#entries += 1;
    const { entries } = this.#limits;
    if (this.#entries > entries) throw limitReached('entries', entries, `more than ${entries} entries`);
  }

  /** @throws HoldfastError `archive-limit-reached` */
  addBytes(bytes: number): void {
    this.#unpackedBytes += bytes;
    const { unpackedBytes, ratio } = this.#limits;
    if (this.#unpackedBytes > unpackedBytes) {
      throw limitReached('unpackedBytes', unpackedBytes, `more than ${unpackedBytes} bytes when unpacked`);
    }
    if (this.#unpackedBytes > ratioFromBytes && this.#unpackedBytes > ratio * this.#packedBytes) {
      throw limitReached('ratio', ratio, `more than ${ratio} times its own size when unpacked`);
    }
  }

  /** The same bytes, counted. */
  async *counted(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const piece of pieces) {
      this.addBytes(piece.length);
      yield piece;
    }
  }
}

function limitReached(limit: keyof ArchiveLimits, value: number, has: string): HoldfastError {
  return new HoldfastError('archive-limit-reached', `The archive has ${has}.`, {
    hint: 'If it is what it should be, an administrator can raise the limit.',
    context: { limit, value },
  });
}
