import { type Abortable, HoldfastError, throwIfAborted } from '@holdfast/base';
import type {
  Backend,
  ByteRange,
  FileName,
  ListedFile,
  ListedFileKind,
  ListOptions,
  LoadOptions,
  TransferOptions,
} from '../backend/backend.ts';

/** A repository's files in memory: a backend in no time, for what stands in front of one. */
export class MemoryBackend implements Backend {
  readonly location = 'memory';
  readonly #files = new Map<string, Buffer>();

  async create({ signal }: Abortable = {}): Promise<void> {
    throwIfAborted(signal);
  }

  async save(file: FileName, parts: readonly Uint8Array[], options: TransferOptions = {}): Promise<void> {
    throwIfAborted(options.signal);
    const contents = Buffer.concat(parts);
    await options.pace?.(contents.length, options);
    if (file.kind === 'config' && this.#files.has(nameOf(file))) {
      throw new HoldfastError('repository-exists', 'There is a repository already.');
    }
    this.#files.set(nameOf(file), contents);
  }

  async load(file: FileName, options: LoadOptions = {}): Promise<Buffer | undefined> {
    return await this.loadRange(file, { offset: 0, length: Infinity }, options);
  }

  async loadRange(
    file: FileName,
    { offset, length }: ByteRange,
    options: TransferOptions = {},
  ): Promise<Buffer | undefined> {
    throwIfAborted(options.signal);
    const contents = this.#files.get(nameOf(file))?.subarray(offset, offset + length);
    if (contents !== undefined) await options.pace?.(contents.length, options);
    return contents && Buffer.from(contents);
  }

  async stat(file: FileName, { signal }: Abortable = {}): Promise<{ sizeBytes: number } | undefined> {
    throwIfAborted(signal);
    const contents = this.#files.get(nameOf(file));
    return contents && { sizeBytes: contents.length };
  }

  async *list(kind: ListedFileKind, { signal, after = '' }: ListOptions = {}): AsyncIterable<ListedFile> {
    throwIfAborted(signal);
    for (const name of [...this.#files.keys()].sort()) {
      const [found, id = ''] = name.split(' ');
      if (found !== kind || id <= after) continue;
      const contents = this.#files.get(name);
      if (contents !== undefined) yield { id, sizeBytes: contents.length };
    }
  }

  async remove(file: FileName, { signal }: Abortable = {}): Promise<boolean> {
    throwIfAborted(signal);
    return this.#files.delete(nameOf(file));
  }

  async removeLeftovers(_writtenBeforeMs: number, { signal }: Abortable = {}): Promise<number> {
    throwIfAborted(signal);
    return 0;
  }
}

function nameOf(file: FileName): string {
  return file.kind === 'config' ? 'config' : `${file.kind} ${file.id}`;
}
