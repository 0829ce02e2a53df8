import { HoldfastError, toHoldfastError } from '@holdfast/base';
import type { Logger } from '../../../config/logger.ts';
import type { Lease } from '../job-record.ts';
import type { LeaseStore } from '../lease-store.ts';

export interface LeaseTimes {
  /** How long a lease is good for without being renewed. */
  readonly leaseMs: number;
  /** How often it is renewed, which is also how soon a cancel is seen that another server was asked for. */
  readonly renewMs: number;
}

export interface LeaseKeeperOptions {
  readonly lease: Lease;
  readonly leases: Pick<LeaseStore, 'renew'>;
  readonly times: LeaseTimes;
  readonly logger: Logger;
  onCancelRequested(): void;
  /** Called once, with `job-lease-lost`: from then on somebody else may work on the job. */
  onLost(error: HoldfastError): void;
}

/** Renews a lease until it is disposed. A catalog that does not answer loses it as soon as it would have run out. */
export class LeaseKeeper implements AsyncDisposable {
  readonly #options: LeaseKeeperOptions;
  readonly #timer: NodeJS.Timeout;
  #renewedAtMs = performance.now();
  #renewing: Promise<void> = Promise.resolve();
  #isLost = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      if (this.#hasRunOut()) this.#lose();
      void this.renew();
    }, options.times.renewMs);
  }

  /** Renews now, and sees whether somebody asked to cancel. Never rejects. */
  async renew(): Promise<void> {
    this.#renewing = this.#renewing.then(async () => await this.#renew());
    await this.#renewing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
  }

  async #renew(): Promise<void> {
    if (this.#isLost) return;
    const { lease, leases, times, logger, onCancelRequested } = this.#options;
    const askedAtMs = performance.now();
    try {
      const renewed = await leases.renew(lease, times.leaseMs);
      if (renewed === undefined) return this.#lose();
      this.#renewedAtMs = askedAtMs;
      if (renewed.isCancelRequested) onCancelRequested();
    } catch (error) {
      logger.warn('The lease of a job could not be renewed.', { error: toHoldfastError(error).toReport() });
    }
  }

  #hasRunOut(): boolean {
    return performance.now() - this.#renewedAtMs > this.#options.times.leaseMs;
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    const { jobId } = this.#options.lease;
    this.#options.onLost(
      new HoldfastError('job-lease-lost', `This server may not work on the job ${jobId} any more.`, {
        hint: 'Another one goes on. Check that the catalog answers and that the clocks are in order.',
      }),
    );
  }
}
