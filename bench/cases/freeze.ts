import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { eventually } from '../../e2e/support/process.ts';
import { type AppEnvironment, nodeCommand } from '../environment/app-environment.ts';
import { newFolder, openEnvironment, openServer } from '../environment/capture-bench.ts';
import { seenFreeze, takeBackup } from '../environment/consistent-backup.ts';
import { type Gap, lengthMs, span } from '../environment/heartbeats.ts';
import type { Bench, BenchCase } from '../lib/bench.ts';
import { type Figure, figure, oursAtMost } from '../lib/figure.ts';
import { series } from '../measure/statistics.ts';
import { runUntimed } from '../measure/timed-process.ts';
import { appFiles } from '../workloads/app-files.ts';
import { manyFiles } from '../workloads/many-files.ts';
import type { WorkloadRecipe } from '../workloads/workload.ts';

/** Of the files, one in a hundred changes all the time. */
const everyNth = 100;
const changePauseMs = 250;

export const twentyThousandFiles = appFiles(20_000);
const manyCount = 500_000;
const halfMillionFiles = manyFiles(manyCount);

export const freezeCases: readonly BenchCase[] = [
  {
    name: 'freeze-files',
    summary: 'how long 10 GiB in 20,000 files stand still, 1 % of them changing all the time',
    inputs: [twentyThousandFiles],
    freeGiB: 35,
    run: async (bench) =>
      await measureInput(bench, {
        name: 'freeze-files',
        recipe: twentyThousandFiles,
        mostSeconds: 1,
        everyNth,
      }),
  },
  {
    name: 'freeze-many-files',
    summary: 'how long 500,000 files stand still, one of them changing all the time',
    inputs: [halfMillionFiles],
    freeGiB: 8,
    run: async (bench) =>
      await measureInput(bench, {
        ...{ name: 'freeze-many-files', recipe: halfMillionFiles, mostSeconds: 3 },
        everyNth: manyCount,
      }),
  },
];

interface InputCase {
  readonly name: string;
  readonly recipe: WorkloadRecipe;
  readonly mostSeconds: number;
  /** Of the files, one in so many changes. */
  readonly everyNth: number;
}

async function measureInput(
  bench: Bench,
  { recipe, everyNth: nth, ...one }: InputCase,
): Promise<readonly Figure[]> {
  const { path, description } = await bench.prepare(recipe);
  using vault = newFolder(bench);
  return await measureFreeze(bench, {
    ...one,
    ...{ folder: dirname(path), vault: vault.path, description },
    start: async (environment) => {
      await startChanging(environment, nth);
      return async () => {};
    },
  });
}

export interface FreezeCase {
  readonly name: string;
  readonly mostSeconds: number;
  /** The project's; the files are in its folder `content`. */
  readonly folder: string;
  /** Where the server has its data, with the vault, and where archives go. */
  readonly vault: string;
  readonly description: object;
  /**
   * Starts the app. What it answers starts the load: after the first backup, and whenever all containers were stopped and
   * started again.
   */
  start(environment: AppEnvironment): Promise<() => Promise<void>>;
}

export async function startChanging(environment: AppEnvironment, nth = everyNth): Promise<void> {
  const command = nodeCommand(
    'bench/programs/changing-files.ts',
    '/data',
    String(nth),
    String(changePauseMs),
  );
  await environment.start({ name: 'app', command, mounts: { content: '/data' } });
}

/** In turn: a consistent backup, and the usual way: stop all containers, tar and compress, start them. */
export async function measureFreeze(
  bench: Bench,
  { name, mostSeconds, folder, vault, description, start }: FreezeCase,
): Promise<readonly Figure[]> {
  await using environment = openEnvironment(folder);
  await using holdfast = await openServer(vault);
  const startLoad = await start(environment);
  const idle = ['sleep', '1000000'];
  await environment.start({ name: 'worker', command: idle, mounts: { content: '/data' } });
  await environment.start({ name: 'cache', command: idle });
  bench.say('  the first backup, which reads everything');
  await takeBackup(holdfast, environment.name, bench);
  await startLoad();
  const freezes = [];
  const downtimes: number[] = [];
  for (let round = 1; round <= bench.rounds; round += 1) {
    bench.settle();
    const freeze = await seenFreeze(environment, await takeBackup(holdfast, environment.name, bench));
    freezes.push(freeze);
    bench.say(
      `  ${round}/${bench.rounds} holdfast: ${freeze.lengthMs.toFixed(0)} ms ${JSON.stringify(freeze.pieces)}`,
    );
    const downtime = await stopArchiveStart(bench, environment, join(vault, 'archive.tar.zst'));
    downtimes.push(downtime);
    await startLoad();
    bench.say(`  ${round}/${bench.rounds} ${usualWay}: ${downtime.toFixed(0)} ms`);
  }
  const ours = series(freezes.map((freeze) => freeze.lengthMs / 1000));
  const peer = series(downtimes.map((ms) => ms / 1000));
  return [
    figure({
      case: name,
      reach: oursAtMost(mostSeconds, 's'),
      unit: 's',
      ours: ours.median,
      peer: peer.median,
      peerName: usualWay,
      details: {
        input: description,
        runs: [
          { name: 'holdfast', freeze_seconds: ours, longest_of_one_container_seconds: longest(freezes) },
          { name: usualWay, downtime_seconds: peer },
        ],
        pieces: freezes.map(({ pieces }) => pieces),
      },
    }),
  ];
}

export const usualWay = 'stop, tar | zstd, start';

export function longest(freezes: readonly { readonly longestMs: number }[]) {
  return series(freezes.map(({ longestMs }) => longestMs / 1000));
}

/** Gives the downtime in milliseconds, from the first container that stopped to the last that ran again. */
async function stopArchiveStart(bench: Bench, environment: AppEnvironment, archive: string): Promise<number> {
  const sinceMs = Date.now();
  await environment.stopAll();
  const stoppedMs = Date.now();
  const line = 'tar --create --directory "$0" . | zstd -3 --threads=0 --quiet --force -o "$1"';
  const args = ['-o', 'pipefail', '-c', line, environment.folder, archive];
  await runUntimed({ program: 'bash', args, env: process.env }, bench);
  await environment.startAll();
  rmSync(archive);
  const gaps: Gap[] = [];
  for (const service of environment.pausedServices) {
    // The first beat comes once the program is loaded.
    const isDown = async () =>
      (await environment.gaps(service, sinceMs)).find(
        ({ fromMs, toMs }) => fromMs <= stoppedMs && toMs > stoppedMs,
      );
    gaps.push(await eventually(`${service} runs again`, isDown));
  }
  return lengthMs(span(gaps));
}
