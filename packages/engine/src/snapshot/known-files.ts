import type { Abortable } from '@holdfast/base';
import { type BlockPrinter, blockBytes } from '../crypto/block-printer.ts';
import type { FileStatus } from '../filesystem/file-status.ts';
import type { BlobId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { BlockPrinting, type PrintedBlocks } from '../workers/block-printing.ts';

/** Copying smaller ones whole takes no longer. */
const leastFileBytes = 16 * blockBytes;
/** Of all prints: those of 128 GiB of files. What is not known is copied whole. */
const mostPrintBytes = 32 * 1024 * 1024;

/** A file as a pass saved it: its chunks, and the prints of its blocks. */
export interface KnownFile {
  readonly content: readonly BlobId[];
  readonly sizeBytes: number;
  readonly prints: Buffer;
}

/**
 * What passes of one process over the same sources know of large files that change: so that a pass copies the blocks
 * that changed since the one before, and not whole files.
 */
export class KnownFiles implements AsyncDisposable {
  readonly #printing = new BlockPrinting();
  readonly #files = new Map<string, KnownFile>();
  #printBytes = 0;

  get printer(): BlockPrinter {
    return this.#printing.printer;
  }

  /** Undefined unless what is known is the content that the pass before has. */
  find(status: FileStatus, before: Node | undefined): KnownFile | undefined {
    const known = this.#files.get(keyOf(status));
    if (known === undefined || before?.type !== 'file') return undefined;
    const { content } = before;
    const isSame =
      content?.length === known.content.length && known.content.every((id, at) => id === content[at]);
    return isSame ? known : undefined;
  }

  /** Of the file that has the status. */
  add(status: FileStatus, file: KnownFile): void {
    const key = keyOf(status);
    this.#printBytes -= this.#files.get(key)?.prints.length ?? 0;
    this.#files.delete(key);
    if (this.#printBytes + file.prints.length > mostPrintBytes) return;
    this.#printBytes += file.prints.length;
    this.#files.set(key, file);
  }

  isWorthKnowing({ size }: Pick<FileStatus, 'size'>): boolean {
    return size >= leastFileBytes;
  }

  /** @throws SystemError when the file cannot be read */
  async print(file: number, status: FileStatus, options: Abortable): Promise<Buffer> {
    const { prints } = await this.#printing.print(
      { file, end: status.size, isSparse: isSparse(status) },
      options,
    );
    return prints;
  }

  /**
   * Copies the blocks of an open file that are not as they are known to be, up to the size that its status told.
   * @throws SystemError when it cannot be read, or its blocks cannot be written
   */
  async copyChanged(
    { file, status, known, copyTo }: ChangedCopy,
    options: Abortable,
  ): Promise<PrintedBlocks> {
    const request = { file, end: status.size, isSparse: isSparse(status), known: known.prints, copyTo };
    return await this.#printing.print(request, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#printing[Symbol.asyncDispose]();
  }
}

export interface ChangedCopy {
  readonly file: number;
  readonly status: FileStatus;
  readonly known: KnownFile;
  /** Empty. */
  readonly copyTo: number;
}

function keyOf({ deviceId, inode }: FileStatus): string {
  return `${deviceId} ${inode}`;
}

function isSparse({ allocated, size }: FileStatus): boolean {
  return allocated < size;
}
