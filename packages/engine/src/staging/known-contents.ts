import type { FileStatus } from '../filesystem/file-status.ts';

/** Times of two changes may be equal within a tick of the clock, and a file system may keep whole seconds. */
const uncertainNanoseconds = 2_000_000_000n;

/**
 * Files whose contents were found to be right, as long as their status does not change. A pass is known to have seen
 * all writes before it only if the file system was synced when it began: from then on, each write changes the status.
 */
export class KnownContents {
  /** By inode: when the status changed last, and whether the metadata was right too. */
  readonly #files = new Map<bigint, bigint>();
  #mapped: ReadonlySet<bigint> = new Set();
  #startedAt = 0n;

  /** @param mapped inodes that some process maps for writing: those are read each time */
  begin(mapped: ReadonlySet<bigint>): void {
    this.#mapped = mapped;
    this.#startedAt = BigInt(Date.now()) * 1_000_000n;
  }

  find(status: FileStatus): { readonly hasMetadata: boolean } | undefined {
    const known = this.#files.get(status.inode);
    if (known === undefined || this.#mapped.has(status.inode)) return undefined;
    return known >> 1n === changedAt(status) ? { hasMetadata: (known & 1n) === 1n } : undefined;
  }

  add(status: FileStatus, { hasMetadata }: { readonly hasMetadata: boolean }): void {
    const changed = changedAt(status);
    if (this.#mapped.has(status.inode) || changed > this.#startedAt - uncertainNanoseconds) return;
    this.#files.set(status.inode, (changed << 1n) | (hasMetadata ? 1n : 0n));
  }
}

function changedAt({ changedAt: { seconds, nanoseconds } }: FileStatus): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}
