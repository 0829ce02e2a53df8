import { setTimeout as delay } from 'node:timers/promises';
import { type Abortable, HoldfastError } from '@holdfast/base';
import type {
  Backend,
  ByteRange,
  FileKind,
  FileName,
  ListedFile,
  ListedFileKind,
  ListOptions,
  LoadOptions,
  TransferOptions,
} from '../backend/backend.ts';
import { type BackendMethod, type FaultEffect, FaultScript, type ScriptedFault } from './fault-script.ts';

const slowMs = 20;

/**
 * A backend in front of another that does not answer for the kinds of files that are `down`, and does what the script
 * says. At the end, `script.unused` has to be empty.
 */
export class FaultBackend implements Backend {
  readonly #inner: Backend;
  readonly down = new Set<FileKind>();
  readonly script: FaultScript;
  /** How many calls were refused for what is `down`. */
  faults = 0;
  /** How many calls there were. */
  calls = 0;

  constructor(inner: Backend, faults: readonly ScriptedFault[] = []) {
    this.#inner = inner;
    this.script = new FaultScript(faults);
  }

  get location(): string {
    return this.#inner.location;
  }

  async create(options?: Abortable): Promise<void> {
    await this.#call('create', undefined, () => this.#inner.create(options));
  }

  async save(file: FileName, parts: readonly Uint8Array[], options?: TransferOptions): Promise<void> {
    await this.#call('save', file.kind, (effect) => {
      const written = isOfBytes(effect) ? [spoil(Buffer.concat(parts), effect)] : parts;
      return this.#inner.save(file, written, options);
    });
  }

  async load(file: FileName, options?: LoadOptions): Promise<Buffer | undefined> {
    return await this.#read('load', file.kind, () => this.#inner.load(file, options));
  }

  async loadRange(file: FileName, range: ByteRange, options?: LoadOptions): Promise<Buffer | undefined> {
    return await this.#read('loadRange', file.kind, () => this.#inner.loadRange(file, range, options));
  }

  async stat(file: FileName, options?: Abortable): Promise<{ readonly sizeBytes: number } | undefined> {
    return await this.#call('stat', file.kind, () => this.#inner.stat(file, options));
  }

  async *list(kind: ListedFileKind, options?: ListOptions): AsyncIterable<ListedFile> {
    const effect = await this.#begin('list', kind);
    for await (const file of this.#inner.list(kind, options)) {
      yield file;
      if (effect === 'fails-after') throw noAnswer();
    }
  }

  async remove(file: FileName, options?: Abortable): Promise<boolean> {
    return await this.#call('remove', file.kind, () => this.#inner.remove(file, options));
  }

  async removeLeftovers(writtenBeforeMs: number, options?: Abortable): Promise<number> {
    return await this.#call('removeLeftovers', undefined, () =>
      this.#inner.removeLeftovers(writtenBeforeMs, options),
    );
  }

  async #read(
    method: 'load' | 'loadRange',
    kind: FileKind,
    read: () => Promise<Buffer | undefined>,
  ): Promise<Buffer | undefined> {
    return await this.#call(method, kind, async (effect) => {
      const bytes = await read();
      return bytes !== undefined && isOfBytes(effect) ? spoil(bytes, effect) : bytes;
    });
  }

  async #call<T>(
    method: BackendMethod,
    kind: FileKind | undefined,
    work: (effect: FaultEffect | undefined) => Promise<T>,
  ): Promise<T> {
    const effect = await this.#begin(method, kind);
    const result = await work(effect);
    if (effect === 'fails-after') throw noAnswer();
    return result;
  }

  async #begin(method: BackendMethod, kind: FileKind | undefined): Promise<FaultEffect | undefined> {
    this.calls += 1;
    if (kind !== undefined && this.down.has(kind)) {
      this.faults += 1;
      throw noAnswer();
    }
    const effect = this.script.next(method, kind);
    if (effect === 'fails') throw noAnswer();
    if (effect === 'fails-for-good') {
      throw new HoldfastError('storage-unreachable', 'The storage refuses to answer.');
    }
    if (effect === 'slow') await delay(slowMs);
    return effect;
  }
}

function noAnswer(): HoldfastError {
  return new HoldfastError('storage-unreachable', 'The storage does not answer.', { retry: true });
}

function isOfBytes(effect: FaultEffect | undefined): effect is 'truncated' | 'flipped' {
  return effect === 'truncated' || effect === 'flipped';
}

function spoil(bytes: Buffer, effect: 'truncated' | 'flipped'): Buffer {
  const middle = bytes.length >> 1;
  if (effect === 'truncated') return bytes.subarray(0, middle);
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(middle) ^ 1, middle);
  return flipped;
}
