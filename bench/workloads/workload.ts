import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunContext } from '../measure/timed-process.ts';
import type { Borg } from '../peers/borg.ts';
import type { Restic } from '../peers/restic.ts';

/** What is backed up in a case. */
export interface Workload {
  /** The file or the folder. */
  readonly path: string;
  /** As results tell it. */
  readonly description: WorkloadDescription;
}

export interface WorkloadDescription {
  readonly files: number;
  readonly bytes: number;
  /** Whatever else tells one input from another, such as a hash. */
  readonly [more: string]: string | number;
}

export interface BuildOptions extends RunContext {
  /** 1, or less for a quick run: of the full size. */
  readonly scale: number;
  /** For inputs that are repositories. */
  readonly passwordFile: string;
  readonly restic: Restic;
  readonly borg: Borg | undefined;
}

/** How an input is made: always the same from the same machine. */
export interface WorkloadRecipe {
  readonly name: string;
  /** Makes it at `path`, where nothing is; the folder around it is there. */
  build(path: string, options: BuildOptions): Promise<WorkloadDescription>;
}

const contentName = 'content';
const descriptionName = 'description.json';
/** So much older files have to be before both programs take their times for proof that they did not change. */
const settledMs = 2_500;

/** The input in its folder below `folder`, which is made if it is not there; it gets its name last. */
export async function prepareWorkload(
  folder: string,
  recipe: WorkloadRecipe,
  options: BuildOptions,
): Promise<Workload> {
  const home = workloadFolder(folder, recipe, options.scale);
  if (!existsSync(home)) {
    const unfinished = `${home}.${process.pid}`;
    try {
      mkdirSync(unfinished, { recursive: true });
      const description = await recipe.build(join(unfinished, contentName), options);
      writeFileSync(join(unfinished, descriptionName), `${JSON.stringify(description, null, 2)}\n`);
      renameSync(unfinished, home);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
    await delay(settledMs, undefined, { signal: options.signal });
  }
  const description = JSON.parse(readFileSync(join(home, descriptionName), 'utf8')) as WorkloadDescription;
  return { path: join(home, contentName), description };
}

/** For inputs that are too large to be kept. */
export function removeWorkload(folder: string, recipe: WorkloadRecipe, scale: number): void {
  rmSync(workloadFolder(folder, recipe, scale), { recursive: true, force: true });
}

function workloadFolder(folder: string, { name }: WorkloadRecipe, scale: number): string {
  return join(folder, scale === 1 ? name : `${name}-quick`);
}
