import { type Clock, isHoldfastError, toHoldfastError } from '@holdfast/base';
import type { LogLine, Progress } from '@holdfast/protocol';
import type { Logger } from '../../../config/logger.ts';
import type { JobChange, Lease } from '../job-record.ts';
import type { LeaseStore } from '../lease-store.ts';
import type { LogStore } from '../log-store.ts';

const flushIntervalMs = 500;
const quietMs = 2000;

export interface JobReporterOptions {
  readonly lease: Lease;
  readonly leases: Pick<LeaseStore, 'update'>;
  readonly logs: Pick<LogStore, 'append'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Writes what a job reports to the catalog, at most twice a second: the newest step and progress, and every log line in
 * order. What cannot be written is kept for the next time; losing the lease is for the one who keeps it to see.
 */
export class JobReporter implements AsyncDisposable {
  readonly #options: JobReporterOptions;
  readonly #timer: NodeJS.Timeout;
  #change: JobChange = {};
  #lines: LogLine[] = [];
  #writing: Promise<void> = Promise.resolve();
  #quietUntilMs = 0;

  constructor(options: JobReporterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), flushIntervalMs);
  }

  step(text: string): void {
    this.#change = { ...this.#change, step: text };
    this.log('info', text);
  }

  progress(progress: Progress): void {
    this.#change = { ...this.#change, progress };
  }

  log(level: LogLine['level'], message: string): void {
    this.take({ timeMs: this.#options.clock.now(), level, message });
  }

  /** A line that somebody else noted at its own time. */
  take(line: LogLine): void {
    this.#lines.push(line);
  }

  /**
   * Nothing is written until the work has ended, or has taken two seconds: writing to the catalog waits for the disk, and
   * this process with it.
   */
  async quietly<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#quietUntilMs = performance.now() + quietMs;
    try {
      return await work();
    } finally {
      this.#quietUntilMs = 0;
    }
  }

  /** Writes now what is waiting. Never rejects. */
  async flush(): Promise<void> {
    if (performance.now() < this.#quietUntilMs) return;
    this.#writing = this.#writing.then(async () => await this.#write());
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #write(): Promise<void> {
    const { lease, leases, logs, logger } = this.#options;
    const change = this.#change;
    const lines = this.#lines;
    this.#change = {};
    this.#lines = [];
    try {
      if (Object.keys(change).length > 0) await leases.update(lease, change);
      await logs.append(lease.jobId, lines);
    } catch (error) {
      if (isHoldfastError(error, 'job-lease-lost')) return;
      this.#change = { ...change, ...this.#change };
      this.#lines = [...lines, ...this.#lines];
      logger.warn('What a job reported could not be written yet.', {
        error: toHoldfastError(error).toReport(),
      });
    }
  }
}
