import { ftruncateSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Abortable, systemErrorCode } from '@holdfast/base';
import type { BlockPrinter } from '../crypto/block-printer.ts';
import { type FileStatus, statusOf } from '../filesystem/file-status.ts';
import { createFileAt, type Descriptor, openAgain, openTrustedDirectory } from '../filesystem/open.ts';
import { toByteString } from '../format/byte-string.ts';
import type { BlobId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { BlockPrinting } from '../workers/block-printing.ts';
import type { SavedContent } from './saved-content.ts';

/** Copying smaller ones whole takes no longer. */
const leastFileBytes = 1024 * 1024;
/** Of all prints: those of 64 GiB of files. */
const mostPrintBytes = 64 * 1024 * 1024;
/** Less is copied in no time in any case. */
const leastTimedBytes = 16 * 1024 * 1024;
/** Faster than any memory can be copied: 16 GiB/s. */
const sharingBytesPerMs = 16 * 1024 * 1024;
/** Each is open twice. */
const mostFiles = 1000;

/** A large file as a pass saved it, and what has changed of it since. */
export interface KnownFile {
  /** The file itself, open. */
  readonly source: Descriptor;
  /** What was saved: its chunks, and how long they are together. Nothing, for one that was only looked at. */
  readonly content: readonly BlobId[];
  readonly contentBytes: number;
  /** Of its blocks as they were when they were last looked at. */
  readonly prints: Buffer;
  /** Numbers of the blocks that have changed since they were saved. They are in `copy`, at their places. */
  readonly changed: ReadonlySet<number>;
  readonly copy: Descriptor;
}

/** A known file as it was at one moment: `prints` and `changed` are of then. */
export interface KnownMoment extends KnownFile {
  readonly sizeBytes: number;
  /** How many blocks were copied for it. */
  readonly copiedBlocks: number;
}

/**
 * What passes of one process over the same sources know of large files that change: so that a pass copies the blocks
 * that changed since they were last looked at, and not whole files. What is not known is copied whole.
 */
export class KnownFiles implements AsyncDisposable {
  readonly #printing = new BlockPrinting();
  readonly #files = new Map<string, KnownFile>();
  /** By a pass that has not saved them yet. */
  readonly #taken = new Set<string>();
  readonly #opened = new DisposableStack();
  readonly #directory: Descriptor;
  #sharesBlocks = false;
  #printBytes = 0;
  /** How many were ever held: they stay open. */
  #held = 0;
  #copies = 0;

  /** @param directory existing: blocks that change are kept in a folder in it until the end */
  constructor(directory: string) {
    const folder = mkdtempSync(join(directory, 'known-'));
    this.#directory = this.#opened.use(openTrustedDirectory(toByteString(folder)));
    this.#opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  }

  get printer(): BlockPrinter {
    return this.#printing.printer;
  }

  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  /**
   * For a pass to look at. Undefined unless what is known is the content that the pass before has, or none; and where it
   * was taken already, under another name.
   */
  take(status: FileStatus, before: Node | undefined): KnownFile | undefined {
    const key = keyOf(status);
    const known = this.#files.get(key);
    if (known === undefined || this.#taken.has(key)) return undefined;
    if (known.content.length > 0 && !isContentOf(before, known)) return undefined;
    this.#taken.add(key);
    return known;
  }

  /** Holds an open file open, to be known once it is saved; undefined for one that is not worth it, or one too many. */
  hold(file: Descriptor, { size }: Pick<FileStatus, 'size'>): Descriptor | undefined {
    if (size < leastFileBytes || this.#held >= mostFiles || this.#sharesBlocks) return undefined;
    const source = openAgain(file);
    if (source === undefined) return undefined;
    this.#held += 1;
    return this.#opened.use(source);
  }

  /** Whole copies that take next to no time share their blocks with the files: then nothing needs to be known. */
  timed(copiedBytes: number, elapsedMs: number): void {
    if (copiedBytes < leastTimedBytes) return;
    this.#sharesBlocks = copiedBytes / elapsedMs > sharingBytesPerMs;
  }

  /** Knows a file from now on that was saved from a whole copy. It is saved in any case: what fails here leaves it unknown. */
  async learn(
    source: Descriptor,
    { wholeCopy, saved }: { readonly wholeCopy: Descriptor; readonly saved: SavedContent },
    options: Abortable,
  ): Promise<void> {
    const { content, size: contentBytes } = saved;
    try {
      const stretch = stretchOf(wholeCopy, statusOf(wholeCopy.number));
      const { prints } = await this.#printing.print(stretch, options);
      const copy = this.#openCopy();
      const known = { source, prints, copy, changed: new Set<number>(), content, contentBytes };
      this.#remember(statusOf(source.number), known);
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
  }

  /**
   * Looks at a file before the moment that counts, so that the look at that moment finds little to copy.
   * @throws as `look`
   */
  async lookAhead(
    file: Descriptor,
    { status, before }: { readonly status: FileStatus; readonly before: Node | undefined },
    options: Abortable,
  ): Promise<void> {
    const known = this.take(status, before) ?? this.#takeUnknown(file, status);
    if (known === undefined) return;
    const moment = await this.look(known, status, options);
    this.#remember(status, moment);
    this.#taken.delete(keyOf(status));
  }

  /** The file was saved as it was at that moment: nothing of it has changed since. */
  saved({ source, copy, prints }: KnownMoment, { content, size }: SavedContent): void {
    const status = statusOf(source.number);
    ftruncateSync(copy.number, 0);
    this.#taken.delete(keyOf(status));
    this.#remember(status, { source, copy, prints, content, contentBytes: size, changed: new Set() });
  }

  /**
   * Copies the blocks that are not as they were when they were last looked at, up to the size that the status told.
   * @throws SystemError when the file cannot be read, or its blocks cannot be written
   */
  async look(known: KnownFile, status: FileStatus, options: Abortable): Promise<KnownMoment> {
    const { source, copy, prints } = known;
    const stretch = { ...stretchOf(source, status), known: prints, copyTo: copy.number };
    const now = await this.#printing.print(stretch, options);
    return {
      ...known,
      sizeBytes: now.sizeBytes,
      prints: now.prints,
      changed: now.changed.size === 0 ? known.changed : new Set([...known.changed, ...now.changed]),
      copiedBlocks: now.changed.size,
    };
  }

  /** As one of which nothing is known: all of it is copied at the first look. */
  #takeUnknown(file: Descriptor, status: FileStatus): KnownFile | undefined {
    const key = keyOf(status);
    const source = this.#taken.has(key) ? undefined : this.hold(file, status);
    if (source === undefined) return undefined;
    this.#taken.add(key);
    const nothing = { prints: Buffer.alloc(0), changed: new Set<number>(), content: [], contentBytes: 0 };
    return { source, copy: this.#openCopy(), ...nothing };
  }

  #openCopy(): Descriptor {
    this.#copies += 1;
    return this.#opened.use(createFileAt(this.#directory.number, toByteString(String(this.#copies))));
  }

  #remember(status: FileStatus, file: KnownFile): void {
    const key = keyOf(status);
    this.#printBytes -= this.#files.get(key)?.prints.length ?? 0;
    this.#files.delete(key);
    if (this.#printBytes + file.prints.length > mostPrintBytes) return;
    this.#printBytes += file.prints.length;
    this.#files.set(key, file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#printing[Symbol.asyncDispose]();
    this.#opened.dispose();
  }
}

function isContentOf(node: Node | undefined, { content }: KnownFile): boolean {
  if (node?.type !== 'file' || node.content?.length !== content.length) return false;
  return content.every((id, at) => id === node.content?.[at]);
}

function keyOf({ deviceId, inode }: FileStatus): string {
  return `${deviceId} ${inode}`;
}

function stretchOf({ number }: Descriptor, { allocated, size }: FileStatus) {
  return { file: number, end: size, isSparse: allocated < size };
}
