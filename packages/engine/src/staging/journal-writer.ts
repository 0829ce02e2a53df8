import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { ByteString } from '../format/byte-string.ts';
import { encodeOperation, type Operation } from './operation.ts';
import { pathIn, renameJournal, type StagingFolder } from './staging-folder.ts';

const bufferedLines = 256;

/** Writes a journal; it counts once `complete` has returned. */
export class JournalWriter implements Disposable {
  readonly #folder: StagingFolder;
  readonly #file: number;
  #lines: string[] = [];

  constructor(folder: StagingFolder) {
    this.#folder = folder;
    this.#file = openSync(pathIn(folder, 'journal.part' as ByteString), 'w', 0o600);
  }

  add(operation: Operation): void {
    this.#lines.push(`${encodeOperation(operation)}\n`);
    if (this.#lines.length >= bufferedLines) this.#write();
  }

  complete(): void {
    this.#write();
    fsyncSync(this.#file);
    renameJournal(this.#folder, 'journal.part', 'journal');
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #write(): void {
    const bytes = Buffer.from(this.#lines.join(''), 'latin1');
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    this.#lines = [];
  }
}
