import type { Job, LogLine } from '@holdfast/protocol';
import type { ProgressView } from '../terminal/progress-view.ts';

/** Shows a job's log lines, and in the end those of its warnings that were in none of them. Says nothing twice. */
export class JobLog {
  readonly #progress: ProgressView;
  readonly #warned = new Set<string>();
  #lastError: string | undefined;

  constructor(progress: ProgressView) {
    this.#progress = progress;
  }

  add({ level, message }: LogLine): void {
    this.#showLastError();
    if (level === 'error') {
      // It may be why the job fails, which is told in the end anyway.
      this.#lastError = message;
    } else if (level === 'warn') {
      this.#warned.add(message);
      this.#progress.note(`warning: ${message}`);
    } else {
      this.#progress.note(message);
    }
  }

  end(job: Job): void {
    if (this.#lastError === job.error?.message) this.#lastError = undefined;
    this.#showLastError();
    for (const warning of job.warnings) {
      if (!this.#warned.has(warning)) this.#progress.note(`warning: ${warning}`);
    }
  }

  #showLastError(): void {
    if (this.#lastError !== undefined) this.#progress.note(`error: ${this.#lastError}`);
    this.#lastError = undefined;
  }
}
