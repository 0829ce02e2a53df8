import { type Abortable, type Clock, sleep, systemClock } from '@holdfast/base';
import type { Backend, ByteRange, FileName, LoadOptions, Pace, TransferOptions } from '../backend.ts';
import { ForwardingBackend } from './forwarding-backend.ts';

export interface BandwidthOptions {
  readonly uploadBytesPerSecond?: number | undefined;
  readonly downloadBytesPerSecond?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly sleep?: ((durationMs: number, options: Abortable) => Promise<void>) | undefined;
}

/** All calls together send, and receive, no more bytes per second than these; the backend itself does the waiting. */
export function withBandwidthLimit(inner: Backend, options: BandwidthOptions): Backend {
  return new BandwidthLimit(inner, options);
}

class BandwidthLimit extends ForwardingBackend {
  readonly #upload: Pace | undefined;
  readonly #download: Pace | undefined;

  constructor(inner: Backend, { uploadBytesPerSecond, downloadBytesPerSecond, ...time }: BandwidthOptions) {
    super(inner);
    this.#upload = uploadBytesPerSecond === undefined ? undefined : paceOf(uploadBytesPerSecond, time);
    this.#download = downloadBytesPerSecond === undefined ? undefined : paceOf(downloadBytesPerSecond, time);
  }

  override async save(
    file: FileName,
    parts: readonly Uint8Array[],
    options: TransferOptions = {},
  ): Promise<void> {
    await this.inner.save(file, parts, { ...options, pace: bothOf(this.#upload, options.pace) });
  }

  override async load(file: FileName, options: LoadOptions = {}): Promise<Buffer | undefined> {
    return await this.inner.load(file, { ...options, pace: bothOf(this.#download, options.pace) });
  }

  override async loadRange(
    file: FileName,
    range: ByteRange,
    options: LoadOptions = {},
  ): Promise<Buffer | undefined> {
    const pace = bothOf(this.#download, options.pace);
    return await this.inner.loadRange(file, range, { ...options, pace });
  }
}

function bothOf(own: Pace | undefined, other: Pace | undefined): Pace | undefined {
  if (own === undefined || other === undefined) return own ?? other;
  return async (bytes, options) => {
    await own(bytes, options);
    await other(bytes, options);
  };
}

/** What may go without waiting after a pause, so that many small files do not each wait. */
const burstMs = 100;

/** A bucket of tokens, kept as the moment at which it will be full again. */
function paceOf(
  bytesPerSecond: number,
  { clock = systemClock, sleep: wait = sleep }: Pick<BandwidthOptions, 'clock' | 'sleep'>,
): Pace {
  let freeAtMs = clock.elapsed();
  return async (bytes, { signal }) => {
    const nowMs = clock.elapsed();
    freeAtMs = Math.max(freeAtMs, nowMs - burstMs) + (bytes * 1000) / bytesPerSecond;
    if (freeAtMs > nowMs) await wait(freeAtMs - nowMs, { signal });
  };
}
