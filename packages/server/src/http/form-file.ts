import { HoldfastError } from '@holdfast/base';

const blankLine = Buffer.from('\r\n\r\n');
/** Of one part of a form. */
const mostHeaderBytes = 16_384;

/**
 * The one file of a form (RFC 7578), as it comes: fields before it are passed over, what comes after it is not read.
 * Never holds more than a piece of it and a boundary.
 *
 * @param boundary as the request's content type names it
 * @throws HoldfastError `usage-invalid` for a form without a file, and for one that breaks off
 */
export async function* fileOfForm(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<Uint8Array, void> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const input = new Input(body);
  await input.skipTo(delimiter);
  for (;;) {
    const headers = await input.headers();
    if (headers === undefined) throw invalid('The form has no file.');
    const isFile = /^content-disposition:.*;\s*filename\*?=/im.test(headers);
    if (isFile) return yield* input.upTo(delimiter);
    await input.skipTo(delimiter);
  }
}

class Input {
  readonly #pieces: AsyncIterator<Uint8Array>;
  /** As if a line came before: the first delimiter has none. */
  #held = Buffer.from('\r\n');

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#pieces = body[Symbol.asyncIterator]();
  }

  /** All before the mark, which is passed. */
  async *upTo(mark: Buffer): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const at = this.#held.indexOf(mark);
      if (at !== -1) {
        if (at > 0) yield this.#held.subarray(0, at);
        this.#held = this.#held.subarray(at + mark.length);
        return;
      }
      // The end of what is held may be the beginning of the mark.
      const sureBytes = Math.max(0, this.#held.length - mark.length + 1);
      if (sureBytes > 0) yield this.#held.subarray(0, sureBytes);
      this.#held = this.#held.subarray(sureBytes);
      await this.#more();
    }
  }

  async skipTo(mark: Buffer): Promise<void> {
    const skipped = this.upTo(mark);
    while ((await skipped.next()).done !== true);
  }

  /** Those of the next part; undefined at the end of the form. */
  async headers(): Promise<string | undefined> {
    while (this.#held.length < 2) await this.#more();
    if (this.#held.subarray(0, 2).toString('latin1') === '--') return undefined;
    let text = '';
    for await (const piece of this.upTo(blankLine)) {
      text += Buffer.from(piece).toString('latin1');
      if (text.length > mostHeaderBytes) throw invalid('A part of the form has too many headers.');
    }
    return text;
  }

  async #more(): Promise<void> {
    const next = await this.#pieces.next();
    if (next.done === true) throw invalid('The form breaks off.');
    this.#held = Buffer.concat([this.#held, next.value]);
  }
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('usage-invalid', message, {
    hint: 'Send the file as the body, with the type application/octet-stream, or as the one file of a multipart/form-data.',
  });
}
