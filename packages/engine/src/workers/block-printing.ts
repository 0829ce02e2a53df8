import { type Abortable, throwIfAborted } from '@holdfast/base';
import { BlockPrinter, blockBytes, printBytes } from '../crypto/block-printer.ts';
import { randomMasterKey } from '../crypto/master-key.ts';
import { SystemError } from '../filesystem/system-error.ts';
import type { BlocksToPrint } from './operations.ts';
import { threadCount, WorkerPool } from './worker-pool.ts';

/** What a thread does at a time: between two of them it is seen whether to go on. */
const stretchBytes = 1024 * blockBytes;

export interface PrintedBlocks {
  /** Where the file ended, or the stretch that was asked for. */
  readonly sizeBytes: number;
  /** Of all blocks, in a row. */
  readonly prints: Buffer;
  /** Numbers of blocks whose prints are not those that were known. */
  readonly changed: ReadonlySet<number>;
}

/** Prints of the blocks of open files, under a key of its own, by the threads of the process. */
export class BlockPrinting implements AsyncDisposable {
  readonly printer: BlockPrinter;
  readonly #pool: WorkerPool;

  constructor() {
    const key = randomMasterKey();
    this.printer = new BlockPrinter(key);
    this.#pool = new WorkerPool(key);
  }

  /** @throws SystemError when the file cannot be read, or the changed blocks cannot be copied */
  async print(file: Omit<BlocksToPrint, 'start'>, { signal }: Abortable): Promise<PrintedBlocks> {
    const stretches = stretchesOf(file);
    const done: PrintedBlocks[] = [];
    const left = stretches.entries();
    const work = async (): Promise<void> => {
      for (const [position, stretch] of left) {
        throwIfAborted(signal);
        done[position] = await this.#printStretch(stretch);
      }
    };
    const workers = await Promise.allSettled(Array.from({ length: 2 * threadCount }, work));
    for (const result of workers) if (result.status === 'rejected') throw result.reason;
    return joined(stretches, done);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  async #printStretch(request: BlocksToPrint): Promise<PrintedBlocks> {
    const answer = await this.#pool.call(this.#pool.next(), { name: 'printBlocks', request });
    if ('errorCode' in answer) throw new SystemError(answer.errorCode, 'read');
    const { endsAt, prints, changed } = answer;
    return {
      sizeBytes: endsAt,
      prints: Buffer.from(prints.buffer, prints.byteOffset, prints.length),
      changed: new Set(changed),
    };
  }
}

function stretchesOf({ end, known, ...file }: Omit<BlocksToPrint, 'start'>): BlocksToPrint[] {
  return Array.from({ length: Math.ceil(end / stretchBytes) }, (_, position) => {
    const start = position * stretchBytes;
    const firstPrint = (start / blockBytes) * printBytes;
    const mostPrints = (stretchBytes / blockBytes) * printBytes;
    return {
      ...file,
      start,
      end: Math.min(start + stretchBytes, end),
      // A copy: with a view, the memory that it looks into would go to the thread, all of it.
      known: known && new Uint8Array(known.subarray(firstPrint, firstPrint + mostPrints)),
    };
  });
}

/** Up to the first that the file ended in. */
function joined(stretches: readonly BlocksToPrint[], done: readonly PrintedBlocks[]): PrintedBlocks {
  const short = done.findIndex(({ sizeBytes }, position) => sizeBytes !== stretches[position]?.end);
  const whole = short === -1 ? done : done.slice(0, short + 1);
  return {
    sizeBytes: whole.at(-1)?.sizeBytes ?? 0,
    prints: Buffer.concat(whole.map(({ prints }) => prints)),
    changed: new Set(whole.flatMap(({ changed }) => [...changed])),
  };
}
