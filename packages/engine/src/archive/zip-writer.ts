import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, deflateRawSync } from 'node:zlib';
import { byteStringToBytes } from '../format/byte-string.ts';
import type { ArchiveItem } from './archive-items.ts';
import type { GatheringWriter } from './gathering-writer.ts';
import { SpoolFile } from './spool-file.ts';
import {
  isPacked,
  type ZipContent,
  zipDirectoryEntry,
  zipEnd,
  zipLengths,
  zipLocalHeader,
} from './zip-header.ts';

const deflateInThread = promisify(deflateRaw);
const level = 4;
/** A thread is not worth its while for less. */
const leastThreadBytes = 16 * 1024;
/** Of contents that are being packed, or wait for their turn. */
const mostAheadBytes = 16 * 1024 * 1024;
/** What a step takes besides its bytes. */
const stepBytes = 1024;
const copyBytes = 256 * 1024;
/** The last block of a deflated content, with nothing in it. */
const lastBlock = Buffer.from([3, 0]);

interface OpenEntry extends ZipContent {
  readonly item: ArchiveItem;
  offset: number;
  checksum: number;
  sizeBytes: number;
  packedBytes: number;
}

interface Step {
  readonly bytes: number;
  run(): void | Promise<void>;
}

/**
 * Writes a zip archive as a stream. Each piece of a content is deflated on its own, several at once in threads: the blocks
 * of all, one after the other, are the content's. The archive's directory waits in a file without a name.
 */
export class ZipWriter implements Disposable {
  readonly #writer: GatheringWriter;
  readonly #directory = new SpoolFile();
  /** What is still to be written, in order. */
  readonly #steps: Step[] = [];
  #aheadBytes = 0;
  #entries = 0;
  #open: OpenEntry | undefined;

  constructor(writer: GatheringWriter) {
    this.#writer = writer;
  }

  async begin(item: ArchiveItem): Promise<void> {
    await this.#finishOpen();
    const entry: OpenEntry = { item, offset: 0, checksum: 0, sizeBytes: 0, packedBytes: 0 };
    this.#open = entry;
    const target = isPacked(item) ? undefined : byteStringToBytes(item.node.linkTarget);
    if (target !== undefined) {
      entry.checksum = crc32(target);
      entry.sizeBytes = target.length;
      entry.packedBytes = target.length;
    }
    await this.#then(async () => {
      entry.offset = this.#writer.writtenBytes;
      await this.#writer.write(zipLocalHeader(item, target && entry));
      if (target !== undefined) await this.#writer.write(target);
    });
  }

  /** A piece of the content of what was begun last. Its memory is the caller's again when this returns. */
  async add(bytes: Uint8Array): Promise<void> {
    const entry = this.#open;
    if (entry === undefined || bytes.length === 0) return;
    entry.checksum = crc32(bytes, entry.checksum);
    entry.sizeBytes += bytes.length;
    const packing = deflated(bytes);
    packing.catch(() => {});
    await this.#then(async () => {
      const packed = await packing;
      entry.packedBytes += packed.length;
      await this.#writer.write(packed);
    }, bytes.length);
  }

  async end(): Promise<void> {
    await this.#finishOpen();
    await this.#runUntil(0);
    const offset = this.#writer.writtenBytes;
    const sizeBytes = this.#directory.end;
    const piece = Buffer.allocUnsafe(copyBytes);
    for (let at = 0; at < sizeBytes; at += piece.length) {
      const read = this.#directory.read(piece.subarray(0, Math.min(copyBytes, sizeBytes - at)), at);
      await this.#writer.write(piece.subarray(0, read));
    }
    await this.#writer.write(zipEnd({ entries: this.#entries, offset, sizeBytes }));
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }

  async #finishOpen(): Promise<void> {
    const entry = this.#open;
    if (entry === undefined) return;
    this.#open = undefined;
    this.#entries += 1;
    await this.#then(async () => {
      if (isPacked(entry.item)) {
        entry.packedBytes += lastBlock.length;
        await this.#writer.write(lastBlock);
        await this.#writer.write(zipLengths(entry.item, entry));
      }
      this.#directory.append(zipDirectoryEntry(entry.item, entry, entry.offset));
    });
  }

  /** When all before was written; waits while there is too much ahead. */
  async #then(run: Step['run'], bytes = 0): Promise<void> {
    this.#steps.push({ run, bytes: bytes + stepBytes });
    this.#aheadBytes += bytes + stepBytes;
    await this.#runUntil(mostAheadBytes);
  }

  async #runUntil(aheadBytes: number): Promise<void> {
    while (this.#aheadBytes > aheadBytes) {
      const step = this.#steps.shift();
      if (step === undefined) return;
      await step.run();
      this.#aheadBytes -= step.bytes;
    }
  }
}

/** Whole blocks, to the end of a byte, of which none is the last. */
async function deflated(bytes: Uint8Array): Promise<Buffer> {
  const options = { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: bytes.length + 4096 };
  if (bytes.length < leastThreadBytes) return deflateRawSync(bytes, options);
  // The memory is used again as soon as the next piece is asked for.
  return await deflateInThread(Buffer.from(bytes), options);
}
