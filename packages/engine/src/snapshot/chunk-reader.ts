import { read } from 'node:fs';
import { promisify } from 'node:util';
import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { ChunkWindow } from '../chunker/chunk-window.ts';
import { readBytes, windowBytes } from '../chunker/chunk-windows.ts';
import { type DataRange, nextData } from '../filesystem/holes.ts';

import { collectYoung } from './collect-young.ts';

const readFile = promisify(read);

/** Memory that chunks are cut from. It may be used again once everything cut from it is done with. */
export interface WindowPool {
  take(): ChunkWindow;
  /** Called when the reader goes on to another window: no further chunk comes from this one. */
  leave(window: ChunkWindow): void;
}

/** What is cut into chunks, from its start on. */
export interface ChunkSource {
  /** Fills the buffer from its start; returns how many bytes, 0 only at the end. */
  read(into: Buffer): Promise<number>;
}

export interface OpenFile {
  readonly file: number;
  /** Reading ends here, or at the end of the file if that comes first. */
  readonly limitBytes: number;
  /** True to ask where its holes are, and not to read those. */
  readonly isSparse: boolean;
}

/** Cuts a source into its chunks. Each is part of a window of the pool. @throws Node's system errors for reading */
export async function* readChunks(
  source: ChunkSource,
  windows: WindowPool,
  { signal }: Abortable,
): AsyncGenerator<Buffer, void> {
  let window = windows.take();
  let chunkStart = 0;
  let filled = 0;
  try {
    for (;;) {
      throwIfAborted(signal);
      const scanned = filled;
      filled += await source.read(window.bytes.subarray(filled, filled + readBytes));
      if (filled === scanned) break;
      let end = window.findBoundary({ chunkStart, scanned, filled });
      while (end !== -1) {
        yield window.bytes.subarray(chunkStart, end);
        chunkStart = end;
        end = window.findBoundary({ chunkStart, scanned: end, filled });
      }
      if (filled + readBytes > windowBytes) {
        const next = windows.take();
        filled = window.bytes.copy(next.bytes, 0, chunkStart, filled);
        chunkStart = 0;
        windows.leave(window);
        window = next;
      }
    }
    if (filled > chunkStart) yield window.bytes.subarray(chunkStart, filled);
  } finally {
    windows.leave(window);
  }
}

/** Reads a file from its start on, holes as zeros without asking for them. */
export class HoleAwareReader implements ChunkSource {
  readonly #source: OpenFile;
  #position = 0;
  #data: DataRange;

  constructor(source: OpenFile) {
    this.#source = source;
    this.#data = source.isSparse ? { start: 0, end: 0 } : { start: 0, end: source.limitBytes };
  }

  async read(into: Buffer): Promise<number> {
    const wanted = Math.min(into.length, this.#source.limitBytes - this.#position);
    if (wanted <= 0) return 0;
    if (this.#position >= this.#data.end && this.#source.isSparse) this.#findData();
    const hole = Math.min(wanted, this.#data.start - this.#position);
    const length = hole > 0 ? hole : await this.#readData(into, wanted);
    if (hole > 0) into.fill(0, 0, hole);
    this.#position += length;
    return length;
  }

  async #readData(into: Buffer, wanted: number): Promise<number> {
    const length = Math.min(wanted, this.#data.end - this.#position);
    const { bytesRead } = await readFile(this.#source.file, into, 0, length, this.#position);
    return bytesRead;
  }

  #findData(): void {
    const end = { start: this.#source.limitBytes, end: this.#source.limitBytes };
    this.#data = nextData(this.#source.file, this.#position) ?? end;
  }
}

/** Pieces of a stream that were read may wait for the collector up to this size. */
const mostGarbageBytes = 4 * 1024 * 1024;

/** Reads a stream, whose pieces may be of any length. */
export class StreamReader implements ChunkSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #left: Uint8Array = Buffer.alloc(0);
  #garbageBytes = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  async read(into: Buffer): Promise<number> {
    while (this.#left.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return 0;
      this.#left = value;
      this.#garbageBytes += value.length;
    }
    if (this.#garbageBytes > mostGarbageBytes) {
      this.#garbageBytes = 0;
      collectYoung();
    }
    const length = Math.min(into.length, this.#left.length);
    into.set(this.#left.subarray(0, length));
    this.#left = this.#left.subarray(length);
    return length;
  }

  /** Whether or not its end was reached. Never throws: what ended the reading before is what counts. */
  async close(): Promise<void> {
    try {
      await this.#pieces.return?.();
    } catch {}
  }
}
