import type { Writable } from 'node:stream';
import { type Abortable, untilAborted } from '@holdfast/base';

/** Pieces are gathered into writes of about this size. */
const writeBytes = 256 * 1024;

/** Keeps no bytes after a write has returned. */
export class GatheringWriter {
  readonly #output: Writable;
  readonly #signal: AbortSignal | undefined;
  readonly #gathered = Buffer.allocUnsafeSlow(writeBytes);
  #gatheredBytes = 0;
  writtenBytes = 0;

  constructor(output: Writable, { signal }: Abortable) {
    this.#output = output;
    this.#signal = signal;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.writtenBytes += bytes.length;
    if (this.#gatheredBytes + bytes.length > writeBytes) await this.flush();
    if (bytes.length >= writeBytes) return await this.#send(bytes);
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
  }

  async flush(): Promise<void> {
    if (this.#gatheredBytes > 0) await this.#send(this.#gathered.subarray(0, this.#gatheredBytes));
    this.#gatheredBytes = 0;
  }

  /** Returns when the output has taken the bytes over, and no sooner: they change then. */
  async #send(bytes: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#output.write(bytes, (error) => (error == null ? resolve() : reject(error)));
    await untilAborted(promise, { signal: this.#signal });
  }
}
