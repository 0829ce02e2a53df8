/** What every case of a long run gets. */
export interface SoakOptions {
  readonly seed: number;
  /** How many processes are killed by the case that does that, about. */
  readonly kills: number;
  /** How often a case that has rounds goes through them. */
  readonly rounds: number;
  /** An empty directory of the case's own. */
  readonly path: string;
  /** Fires when somebody ends the run. */
  readonly signal: AbortSignal;
  /** Shows a line of progress. */
  readonly say: (line: string) => void;
}

export interface SoakOutcome {
  /** Kills, faults, damaged files, inputs. */
  readonly runs: number;
  /** What went wrong, each with what is needed to see it again. */
  readonly failed: readonly string[];
  /** Further figures. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface SoakCase {
  readonly name: string;
  run(options: SoakOptions): Promise<SoakOutcome>;
}
