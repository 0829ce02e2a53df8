import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { freeBytes, settleDisk } from '../measure/disk.ts';
import { runTimed, runUntimed } from '../measure/timed-process.ts';
import { findBorg } from '../peers/borg.ts';
import { Holdfast } from '../peers/holdfast.ts';
import { findRestic } from '../peers/restic.ts';
import { prepareWorkload, removeWorkload, type WorkloadRecipe } from '../workloads/workload.ts';
import { allPeers, type Bench, newPlace } from './bench.ts';
import { initPlace, removePlace } from './local-repository.ts';

export interface BenchOptions {
  readonly scale: number;
  readonly rounds: number;
  readonly signal: AbortSignal;
  say(line: string): void;
}

/** The bench with the folders that it works in; what a run leaves there goes when it is disposed of. */
export interface OpenBench extends Bench, Disposable {
  readonly folder: string;
  freeGiB(): number;
  /** For inputs that are too large to be kept. */
  removeInput(recipe: WorkloadRecipe): void;
}

const runPrefix = 'run-';

/** Inputs stay in `HOLDFAST_BENCH_DIR`, by default `~/.cache/holdfast/bench`. */
export function benchFolder(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return process.env.HOLDFAST_BENCH_DIR || join(cache, 'holdfast', 'bench');
}

export function openBench({ scale, rounds, signal, say }: BenchOptions): OpenBench {
  const folder = benchFolder();
  const inputs = join(folder, 'inputs');
  const runFolder = join(folder, `${runPrefix}${process.pid}`);
  for (const path of [inputs, runFolder]) mkdirSync(path, { recursive: true });
  for (const path of [folder, inputs]) removeDebris(path);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, 'bench\n');
  const [holdfast, restic, borg] = [new Holdfast(folder), findRestic(), findBorg()];
  const context = { logFolder: runFolder, signal };
  const settle = () => {
    if (scale === 1) settleDisk();
  };
  const places = [runFolder];
  let paths = 0;
  return {
    ...context,
    ...{ scale, rounds, holdfast, restic, borg, passwordFile, folder, say },
    newPath({ near } = {}) {
      const home = near === undefined ? runFolder : join(near, `holdfast-bench-${process.pid}`);
      if (!places.includes(home)) places.push(home);
      paths += 1;
      return join(home, String(paths));
    },
    prepare: (recipe) => prepareWorkload(inputs, recipe, { ...context, scale, passwordFile, restic, borg }),
    settle,
    async time(command) {
      settle();
      return await runTimed(command, context);
    },
    freeGiB: () => freeBytes(folder) / 1024 ** 3,
    removeInput: (recipe) => removeWorkload(inputs, recipe, scale),
    [Symbol.dispose]() {
      for (const place of places) rmSync(place, { recursive: true, force: true });
    },
  };
}

/** Each program once for nothing: what is loaded and compiled at its first use is not what is measured. */
export async function warmUp(bench: Bench): Promise<void> {
  const file = bench.newPath();
  writeFileSync(file, 'warm');
  for (const peer of allPeers(bench)) {
    const place = await initPlace(bench, peer);
    const target = newPlace(bench).repository;
    mkdirSync(target, { recursive: true });
    await runUntimed(peer.backup(place, file), bench);
    await runUntimed(peer.restore(place, target), bench);
    await runUntimed(peer.checkData(place), bench);
    removePlace(place);
  }
}

/** What ends with the id of a process that is no more: runs that were killed leave their folders and half an input. */
function removeDebris(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /[-.]([0-9]+)$/.exec(name)?.[1];
    const isDebris = name.startsWith(runPrefix) || name.includes('.');
    if (!isDebris || pid === undefined || isRunning(Number(pid))) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
