import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';

const library = koffi.load(null);
const mmap = library.func(
  'void *mmap(void *address, size_t length, int protection, int flags, int file, long offset)',
);
const munmap = library.func('int munmap(void *address, size_t length)');

const readAndWrite = 1 | 2;
const shared = 1;
const pageBytes = 4096;

/** The first page of a file, mapped shared and writable: a store into it changes the file and, often, none of its times. */
export class SharedMapping implements Disposable {
  readonly #address: unknown;
  readonly bytes: Uint8Array;

  constructor(path: string) {
    const file = openSync(path, 'r+');
    this.#address = mmap(null, pageBytes, readAndWrite, shared, file, 0);
    closeSync(file);
    this.bytes = new Uint8Array(koffi.view(this.#address, pageBytes));
  }

  [Symbol.dispose](): void {
    munmap(this.#address, pageBytes);
  }
}
