import { Writable } from 'node:stream';
import { systemErrorCode } from '@holdfast/base';

/** `process.stdout`, `process.stderr` or any other stream of text. */
export type TextStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The other end of the pipe, or the terminal, is gone. */
const goneCodes: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO']);

/**
 * Standard output or standard error. A reader that went away is no failure: what is written from then on
 * is dropped, and `isClosed` tells those who could stop early.
 */
export class TextOutput {
  readonly stream: TextStream;
  #isClosed = false;

  constructor(stream: TextStream) {
    this.stream = stream;
    stream.on('error', (error) => {
      if (!goneCodes.has(systemErrorCode(error))) throw error;
      this.#isClosed = true;
    });
  }

  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  /** Width in characters; unlimited when it is no terminal. */
  get columns(): number {
    return this.isTerminal ? (this.stream.columns ?? 80) : Number.POSITIVE_INFINITY;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  line(text = ''): void {
    this.text(`${text}\n`);
  }

  text(text: string): void {
    if (!this.#isClosed) this.stream.write(text);
  }

  /** Resolves when everything written so far has left the process, or nobody reads it any more. */
  async flush(): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => this.stream.write('', () => resolve()));
  }
}

/** Takes text and drops it. */
export function discardedOutput(): TextOutput {
  return new TextOutput(new Writable({ write: (_chunk, _encoding, done) => done() }));
}
