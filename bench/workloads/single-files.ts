import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RandomBytes } from './generated-bytes.ts';
import { letSignalsIn } from './let-signals-in.ts';
import { type MachineFile, machineFiles } from './machine-files.ts';
import type { WorkloadRecipe } from './workload.ts';

const mebibyte = 1024 * 1024;
const fileBytes = 1024 * mebibyte;
/** No single program is more than this much of the mix. */
const largestPiece = 64 * mebibyte;

const installed = fileURLToPath(new URL('../../node_modules', import.meta.url));
const binaryRoots = ['/usr/bin', '/usr/lib', '/usr/libexec', '/usr/local', '/usr/sbin', installed, '/opt'];

/** One file of 1 GiB: programs and libraries of this machine, one after another, each once. */
export const mixedFile: WorkloadRecipe = {
  name: 'mixed-file',
  async build(path, { scale, signal }) {
    const wanted = Math.floor(fileBytes * scale);
    const contents = new HashedFile(path);
    let pieces = 0;
    for (const piece of differentBinaries()) {
      await letSignalsIn(signal);
      contents.append(piece.subarray(0, wanted - contents.bytes));
      pieces += 1;
      if (contents.bytes === wanted) break;
    }
    if (contents.bytes < wanted)
      throw new Error(`This machine has only ${contents.bytes} bytes of programs.`);
    return { files: 1, bytes: contents.bytes, sha256: contents.finish(), pieces };
  },
};

/** One file of 1 GiB that nothing compresses. */
export const incompressibleFile: WorkloadRecipe = {
  name: 'incompressible-file',
  async build(path, { scale, signal }) {
    const wanted = Math.floor(fileBytes * scale);
    const random = new RandomBytes('incompressible');
    const contents = new HashedFile(path);
    while (contents.bytes < wanted) {
      await letSignalsIn(signal);
      contents.append(random.next(Math.min(mebibyte, wanted - contents.bytes)));
    }
    return { files: 1, bytes: contents.bytes, sha256: contents.finish() };
  },
};

function* differentBinaries(): IterableIterator<Buffer> {
  const seen = new Set<string>();
  for (const file of machineFiles(binaryRoots)) {
    const bytes = readBinary(file);
    if (bytes === undefined) continue;
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (seen.has(digest)) continue;
    seen.add(digest);
    yield bytes;
  }
}

/** Undefined for text, for what is too large, and for what cannot be read. */
function readBinary({ path, bytes }: MachineFile): Buffer | undefined {
  if (bytes === 0 || bytes > largestPiece) return undefined;
  try {
    const contents = readFileSync(path);
    return contents.subarray(0, 8192).includes(0) ? contents : undefined;
  } catch {
    return undefined;
  }
}

class HashedFile {
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  bytes = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'wx');
  }

  append(contents: Buffer): void {
    writeSync(this.#descriptor, contents);
    this.#hash.update(contents);
    this.bytes += contents.length;
  }

  /** The file's SHA-256. */
  finish(): string {
    closeSync(this.#descriptor);
    return this.#hash.digest('hex');
  }
}
