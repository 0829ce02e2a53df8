import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { type Abortable, type HoldfastError, isHoldfastError, sleep, throwIfAborted } from '@holdfast/base';
import { AllowedAddresses, type ResolveName, resolveBySystem } from '@holdfast/outbound';
import { programVersion } from '../program-version.ts';
import { openUrl, parseUrl } from './open-url.ts';
import { spoolError } from './spool-error.ts';
import { Deadline, type LeastRate, RateGuard } from './transfer-limits.ts';
import { connectionError, urlErrors } from './url-errors.ts';

export interface FetchLimits {
  readonly bytes: number;
  /** Of all of it, waits and attempts included. */
  readonly durationMs: number;
  readonly rate: LeastRate;
  /** The first one included. */
  readonly attempts: number;
  /** Doubles with each attempt. */
  readonly firstDelayMs: number;
}

export const defaultFetchLimits: Pick<FetchLimits, 'rate' | 'attempts' | 'firstDelayMs'> = {
  rate: { windowMs: 30_000, leastBytes: 30 * 1024 },
  attempts: 6,
  firstDelayMs: 1000,
};

export interface FetchRequest extends Abortable {
  /** From a user, and so untrusted; a secret all the same, for it may be signed. */
  readonly url: string;
  /** The file to be made. */
  readonly path: string;
  readonly limits: FetchLimits;
  /** Address ranges that are not public, in CIDR notation, and may be connected to all the same. */
  readonly allowedRanges: readonly string[];
  readonly resolveName?: ResolveName;
  /** Told how large it will be, as soon as the other end says so: may refuse. */
  readonly onTotal?: (totalBytes: number) => Promise<void>;
  readonly onProgress?: (receivedBytes: number) => void;
  /** Told of each attempt that failed and is followed by another. */
  readonly onRetry?: (error: HoldfastError) => void;
}

/**
 * Downloads what is at a URL into a file, which is on stable storage then. What breaks off is resumed where the other end
 * lets that be, and begun anew where it does not. Answers its length in bytes.
 *
 * @throws HoldfastError `url-refused`, `url-failed`, `url-limit-reached`, `storage-full`, `storage-not-writable`
 */
export async function fetchUrl(request: FetchRequest): Promise<number> {
  const url = parseUrl(request.url);
  const { path, limits } = request;
  await using file = await openNew(path);
  using deadline = new Deadline(limits.durationMs, () => urlErrors.tooLong(url, limits.durationMs));
  const signal =
    request.signal === undefined ? deadline.signal : AbortSignal.any([request.signal, deadline.signal]);
  const download = new Download({ ...request, signal }, url, file);
  await download.run();
  await file.sync();
  return download.receivedBytes;
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    throw spoolError(error);
  }
}

/** By what a resumed download is known to be of the same file. */
interface Version {
  /** Undefined where nothing permits to resume. */
  readonly validator: string | undefined;
  readonly totalBytes: number | undefined;
}

class Download {
  readonly #request: FetchRequest & { readonly signal: AbortSignal };
  readonly #url: URL;
  readonly #file: FileHandle;
  readonly #allowed: AllowedAddresses;
  #version: Version = { validator: undefined, totalBytes: undefined };
  receivedBytes = 0;

  constructor(request: FetchRequest & { readonly signal: AbortSignal }, url: URL, file: FileHandle) {
    this.#request = request;
    this.#url = url;
    this.#file = file;
    this.#allowed = new AllowedAddresses(request.allowedRanges);
  }

  async run(): Promise<void> {
    const { limits, signal, onRetry } = this.#request;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#transfer();
        return;
      } catch (error) {
        if (!isHoldfastError(error) || !error.retry || attempt === limits.attempts) throw error;
        onRetry?.(error);
        await sleep(limits.firstDelayMs * 2 ** (attempt - 1), { signal });
      }
    }
  }

  async #transfer(): Promise<void> {
    const { limits, resolveName = resolveBySystem } = this.#request;
    const { windowMs, leastBytes } = limits.rate;
    using guard = new RateGuard(limits.rate, () => urlErrors.tooSlow(this.#url, windowMs, leastBytes));
    const signal = AbortSignal.any([this.#request.signal, guard.signal]);
    let response: IncomingMessage | undefined;
    try {
      const headers = this.#headers();
      response = await openUrl(this.#url, { allowed: this.#allowed, resolveName, headers, signal });
      if ('range' in headers) await this.#resume(response);
      else await this.#begin(response);
      for await (const chunk of response as AsyncIterable<Buffer>) {
        guard.add(chunk.length);
        await this.#write(chunk);
      }
    } catch (error) {
      throwIfAborted(signal);
      throw isHoldfastError(error) ? error : this.#brokenBy(error, response);
    } finally {
      response?.destroy();
    }
    const { totalBytes } = this.#version;
    if (totalBytes !== undefined && totalBytes !== this.receivedBytes) {
      throw urlErrors.brokenOff(this.#url, this.receivedBytes);
    }
  }

  #headers(): Readonly<Record<string, string>> {
    const { validator } = this.#version;
    return {
      accept: '*/*',
      // The bytes are wanted as they are stored there: a range is of those.
      'accept-encoding': 'identity',
      'user-agent': `holdfast/${programVersion}`,
      ...(this.receivedBytes === 0 || validator === undefined
        ? {}
        : { range: `bytes=${this.receivedBytes}-`, 'if-range': validator }),
    };
  }

  async #begin(response: IncomingMessage): Promise<void> {
    const { statusCode = 0, headers } = response;
    if (statusCode !== 200) throw urlErrors.status(this.#url, statusCode);
    this.receivedBytes = 0;
    await this.#file.truncate(0);
    const length = headers['content-length'];
    const totalBytes = length === undefined ? undefined : Number(length);
    this.#version = { validator: validatorOf(response), totalBytes };
    if (totalBytes === undefined) return;
    if (totalBytes > this.#request.limits.bytes) throw this.#tooLarge();
    await this.#request.onTotal?.(totalBytes);
  }

  /** What comes is the rest; or all of it, where the file is another now or the other end has only wholes. */
  async #resume(response: IncomingMessage): Promise<void> {
    const { statusCode, headers } = response;
    if (statusCode !== 206 && statusCode !== 416) return await this.#begin(response);
    const [, first, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    const { validator, totalBytes } = this.#version;
    const isSameSize = totalBytes === undefined || size === '*' || Number(size) === totalBytes;
    if (statusCode === 416 || Number(first) !== this.receivedBytes || !isSameSize) {
      // The next attempt begins anew.
      this.#version = { validator: undefined, totalBytes: undefined };
      throw urlErrors.changed(this.#url);
    }
    if (size !== '*') this.#version = { validator, totalBytes: Number(size) };
  }

  async #write(chunk: Buffer): Promise<void> {
    if (this.receivedBytes + chunk.length > this.#request.limits.bytes) throw this.#tooLarge();
    try {
      for (let at = 0; at < chunk.length; ) {
        const rest = chunk.length - at;
        at += (await this.#file.write(chunk, at, rest, this.receivedBytes + at)).bytesWritten;
      }
    } catch (error) {
      throw spoolError(error);
    }
    this.receivedBytes += chunk.length;
    this.#request.onProgress?.(this.receivedBytes);
  }

  #brokenBy(error: unknown, response: IncomingMessage | undefined): HoldfastError {
    return response === undefined
      ? connectionError(this.#url, error)
      : urlErrors.brokenOff(this.#url, this.receivedBytes);
  }

  #tooLarge(): HoldfastError {
    return urlErrors.tooLarge(this.#url, this.#request.limits.bytes);
  }
}

/** A weak tag says nothing of single bytes. */
function validatorOf({ headers }: IncomingMessage): string | undefined {
  const { etag } = headers;
  return etag?.startsWith('"') === true ? etag : headers['last-modified'];
}
