import { median, type Series, series } from '../measure/statistics.ts';
import type { Run } from '../measure/timed-process.ts';
import type { Bench } from './bench.ts';

/** One of those that are measured beside each other. */
export interface Contender {
  readonly name: string;
  /** Does all that belongs to a run, and gives what its measured piece took. */
  run(round: number): Promise<Run>;
}

/** The runs of all contenders, by their names. */
export class Rounds {
  readonly #runs: ReadonlyMap<string, readonly Run[]>;

  constructor(runs: ReadonlyMap<string, readonly Run[]>) {
    this.#runs = runs;
  }

  has(name: string): boolean {
    return this.#runs.has(name);
  }

  wallSeconds(name: string): number {
    return median(this.#of(name).map((run) => run.wallSeconds));
  }

  repositoryMiB(name: string): number {
    return median(this.#of(name).map((run) => mebibytes(run.repositoryBytes ?? 0)));
  }

  /** The highest of all rounds: a limit of memory has to hold in each. */
  peakMemoryMiB(name: string): number {
    return Math.max(...this.#of(name).map((run) => mebibytes(run.peakMemoryBytes)));
  }

  /** Every single run of everybody, for the result's file. */
  summary(): readonly RunsSummary[] {
    return [...this.#runs].map(([name, runs]) => summarize(name, runs));
  }

  #of(name: string): readonly Run[] {
    const runs = this.#runs.get(name);
    if (runs === undefined) throw new Error(`Nobody called ${name} was measured.`);
    return runs;
  }
}

export interface RunsSummary {
  readonly name: string;
  readonly wall_seconds: Series;
  readonly cpu_seconds: Series;
  readonly peak_memory_mib?: Series;
  readonly repository_mib?: Series;
}

/** Every contender once, then every contender again, as many times as there are rounds. */
export async function runInTurn(
  bench: Bench,
  contenders: readonly Contender[],
  rounds: number = bench.rounds,
): Promise<Rounds> {
  const runs = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, run } of contenders) {
      const taken = await run(round);
      runs.get(name)?.push(taken);
      bench.say(`  ${round + 1}/${rounds} ${name}: ${describe(taken)}`);
    }
  }
  return new Rounds(runs);
}

export function mebibytes(bytes: number): number {
  return bytes / (1024 * 1024);
}

function describe({ wallSeconds, cpuSeconds, peakMemoryBytes }: Run): string {
  const memory = peakMemoryBytes === 0 ? '' : `, ${Math.round(mebibytes(peakMemoryBytes))} MiB`;
  return `${wallSeconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of processor${memory}`;
}

function summarize(name: string, runs: readonly Run[]): RunsSummary {
  const peaks = runs.map((run) => mebibytes(run.peakMemoryBytes));
  const sizes = runs.flatMap(({ repositoryBytes }) =>
    repositoryBytes === undefined ? [] : [mebibytes(repositoryBytes)],
  );
  return {
    name,
    wall_seconds: series(runs.map((run) => run.wallSeconds)),
    cpu_seconds: series(runs.map((run) => run.cpuSeconds)),
    ...(peaks.every((peak) => peak > 0) ? { peak_memory_mib: series(peaks) } : {}),
    ...(sizes.length > 0 ? { repository_mib: series(sizes) } : {}),
  };
}
