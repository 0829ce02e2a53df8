import type { Clock } from '@holdfast/base';
import type { ProgressSink } from '@holdfast/engine';
import type { Progress } from '@holdfast/protocol';

/** Between two reports: four a second are as many as anyone can read. */
const intervalMs = 250;

export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

const nothing: Amount = { files: 0, bytes: 0 };

/** Where one phase of a task stands, over all of its parts. */
export class PhaseProgress {
  readonly #phase: string;
  readonly #clock: Clock;
  readonly #emit: (progress: Progress) => void;
  #total: Amount | undefined;
  readonly #done: Amount[] = [];
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(phase: string, clock: Clock, emit: (progress: Progress) => void) {
    this.#phase = phase;
    this.#clock = clock;
    this.#emit = emit;
  }

  /** How much there is to do in all. Until it is known, reports carry no totals. */
  expect(total: Amount): void {
    this.#total = { files: total.files, bytes: total.bytes };
  }

  /** For the work on one part, several at once too; what comes too soon after the last report is dropped. */
  part(name: string | null): ProgressSink {
    const position = this.#done.push(nothing) - 1;
    return {
      report: ({ files, bytes }) => {
        this.#done[position] = { files, bytes };
        const now = this.#clock.elapsed();
        if (now - this.#reportedAtMs < intervalMs) return;
        this.#reportedAtMs = now;
        this.#emit(this.#toProgress(name));
      },
    };
  }

  #toProgress(part: string | null): Progress {
    const { files, bytes } = sum(...this.#done);
    const filesTotal = this.#total?.files ?? null;
    const bytesTotal = this.#total?.bytes ?? null;
    return { phase: this.#phase, part, files, bytes, filesTotal, bytesTotal };
  }
}

export function sum(...amounts: readonly Amount[]): Amount {
  return amounts.reduce(
    (total, { files, bytes }) => ({
      files: total.files + files,
      bytes: total.bytes + bytes,
    }),
    nothing,
  );
}
