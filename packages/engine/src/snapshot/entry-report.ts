import { failureText } from '../filesystem/system-error.ts';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';

/** Something about one entry that the user has to know; the rest of the work went on. */
export interface EntryReport {
  /** For people: see `byteStringToText`. */
  readonly path: string;
  readonly message: string;
}

const mostKept = 1000;

/** Collects reports within bounded memory: the first thousand, and how many there were. */
export class EntryReports {
  readonly #kept: EntryReport[] = [];
  #count = 0;

  get kept(): readonly EntryReport[] {
    return this.#kept;
  }

  get count(): number {
    return this.#count;
  }

  add(path: ByteString, message: string): void {
    this.#count += 1;
    if (this.#kept.length < mostKept) this.#kept.push({ path: byteStringToText(path), message });
  }

  addFailure(path: ByteString, what: string, error: unknown): void {
    this.add(path, `${what}: ${failureText(error)}`);
  }
}
