import { writeSync } from 'node:fs';
import { systemErrorCode } from '@holdfast/base';
import { type BlockPrinter, blockBytes, blockCount, printBytes } from '../crypto/block-printer.ts';
import { nextData } from '../filesystem/holes.ts';
import { NativeMemory } from '../filesystem/native-memory.ts';
import { readUpTo } from '../filesystem/read-up-to.ts';
import type { BlockPrints, BlocksToPrint } from './operations.ts';

/** Read at once: it stays in the processor's cache until it has its prints. */
const blocksAtOnce = 16;
const zeros = Buffer.alloc(blockBytes);
let memory: { readonly blocks: NativeMemory; readonly prints: NativeMemory } | undefined;

/** See `Operations`. */
export function printBlocks(printer: BlockPrinter, request: BlocksToPrint): BlockPrints {
  try {
    return new BlockPass(printer, request).run();
  } catch (error) {
    const errorCode = systemErrorCode(error);
    if (errorCode === undefined) throw error;
    return { errorCode };
  }
}

class BlockPass {
  readonly #printer: BlockPrinter;
  readonly #request: BlocksToPrint;
  readonly #prints: Buffer;
  readonly #changed: number[] = [];
  #position: number;
  /** What is known not to be a hole. */
  #dataEnd: number;

  constructor(printer: BlockPrinter, request: BlocksToPrint) {
    this.#printer = printer;
    this.#request = request;
    this.#prints = Buffer.alloc(blockCount(request.end - request.start) * printBytes);
    this.#position = request.start;
    this.#dataEnd = request.isSparse ? request.start : request.end;
  }

  run(): BlockPrints {
    const { end } = this.#request;
    memory ??= {
      blocks: new NativeMemory(blocksAtOnce * blockBytes),
      prints: new NativeMemory(blocksAtOnce * printBytes),
    };
    const { blocks, prints } = memory;
    while (this.#position < end) {
      if (this.#position >= this.#dataEnd) this.#passHole();
      const wanted = Math.min(blocks.bytes.length, end - this.#position);
      if (wanted === 0) break;
      const read = readUpTo(this.#request.file, blocks.bytes.subarray(0, wanted), this.#position);
      this.#printer.printEach(blocks, read, prints);
      this.#take(blocks.bytes.subarray(0, read), prints.bytes.subarray(0, blockCount(read) * printBytes));
      if (read < wanted) break;
    }
    const count = blockCount(this.#position - this.#request.start);
    return {
      endsAt: this.#position,
      prints: this.#prints.subarray(0, count * printBytes),
      changed: this.#changed,
    };
  }

  /** Whole blocks of zeros that take no room need no reading. */
  #passHole(): void {
    const { file, end } = this.#request;
    const data = nextData(file, this.#position) ?? { start: end, end };
    this.#dataEnd = data.end;
    while (this.#position + blockBytes <= Math.min(data.start, end)) {
      const position = this.#position;
      const isSame = this.#add(this.#printer.printOfZeros);
      // What was never copied is a hole there too.
      if (!isSame && this.#isKnown(position)) writeAll(this.#request.copyTo, zeros, position);
    }
  }

  #isKnown(position: number): boolean {
    const { known, start } = this.#request;
    return known !== undefined && ((position - start) / blockBytes) * printBytes < known.length;
  }

  /** Blocks in a row: mostly, none of them has changed. */
  #take(blocks: Buffer, prints: Buffer): void {
    const { known, start, copyTo } = this.#request;
    const at = ((this.#position - start) / blockBytes) * printBytes;
    if (known !== undefined && prints.equals(known.subarray(at, at + prints.length))) {
      this.#prints.set(prints, at);
      this.#position += blocks.length;
      return;
    }
    for (let index = 0; index * blockBytes < blocks.length; index += 1) {
      const block = blocks.subarray(index * blockBytes, (index + 1) * blockBytes);
      const position = this.#position;
      const print = prints.subarray(index * printBytes, (index + 1) * printBytes);
      if (!this.#add(print, block.length)) writeAll(copyTo, block, position);
    }
  }

  /** False if it is another than was known. */
  #add(print: Buffer, lengthBytes = blockBytes): boolean {
    const { known, start } = this.#request;
    const at = ((this.#position - start) / blockBytes) * printBytes;
    this.#prints.set(print, at);
    const isSame = known !== undefined && print.equals(known.subarray(at, at + printBytes));
    if (!isSame) this.#changed.push(this.#position / blockBytes);
    this.#position += lengthBytes;
    return isSame;
  }
}

function writeAll(file: number | undefined, bytes: Buffer, position: number): void {
  if (file === undefined) return;
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written, position + written);
  }
}
