import type { Command, Run, RunContext } from '../measure/timed-process.ts';
import type { Borg } from '../peers/borg.ts';
import type { Holdfast } from '../peers/holdfast.ts';
import type { Peer, Place } from '../peers/peer.ts';
import type { Restic } from '../peers/restic.ts';
import type { Workload, WorkloadRecipe } from '../workloads/workload.ts';
import type { Figure } from './figure.ts';

/** What a case has to work with. */
export interface Bench extends RunContext {
  /** 1, or less for a quick run: of the size of every input. */
  readonly scale: number;
  /** How many times each program runs. */
  readonly rounds: number;
  readonly holdfast: Holdfast;
  readonly restic: Restic;
  readonly borg: Borg | undefined;
  /** Holds the password of every repository. */
  readonly passwordFile: string;
  /** A path in this run's own folder, where nothing is yet; `near` puts it into another folder. */
  newPath(options?: { readonly near?: string }): string;
  /** Makes the input, or takes what an earlier run made. */
  prepare(recipe: WorkloadRecipe): Promise<Workload>;
  /** Brings to the disk what was written before; not in a quick run, whose times are worth nothing. */
  settle(): void;
  /** Runs it after everything that was written before is on the disk. */
  time(command: Command): Promise<Run>;
  /** Tells who watches what is going on. */
  say(line: string): void;
}

export interface BenchCase {
  readonly name: string;
  /** What is measured, in one line. */
  readonly summary: string;
  readonly inputs: readonly WorkloadRecipe[];
  /** Runs only when it is asked for: it takes hours or much room. Its inputs are removed afterwards. */
  readonly isLong?: boolean;
  /** Room that it needs at its full size, with its inputs. */
  readonly freeGiB: number;
  /** Throws `SkippedCase` when something that it needs is not there. */
  run(bench: Bench): Promise<readonly Figure[]>;
}

/** The reason is its message. */
export class SkippedCase extends Error {}

/** Ours first, then each peer that there is. */
export function allPeers({ holdfast, restic, borg }: Bench): readonly Peer[] {
  return [holdfast, restic, ...(borg === undefined ? [] : [borg])];
}

/** A place for a repository where none is yet. */
export function newPlace({ newPath, passwordFile }: Bench): Place {
  const folder = newPath();
  return { repository: `${folder}/repository`, cache: `${folder}/cache`, passwordFile };
}
