import { join } from 'node:path';
import { newFolder, openEnvironment, openServer } from '../environment/capture-bench.ts';
import { takeBackup } from '../environment/consistent-backup.ts';
import {
  changeFiles,
  copyInput,
  downtimeOf,
  holdfastCommand,
  requireRestored,
  startApp,
} from '../environment/restored-app.ts';
import type { Bench, BenchCase } from '../lib/bench.ts';
import { type Figure, figure, oursMorePeerAtMost } from '../lib/figure.ts';
import { series } from '../measure/statistics.ts';
import { appFiles } from '../workloads/app-files.ts';

const name = 'restore-in-place';
const everyNth = 100;
const mostSecondsMore = 3;
/** 5 GiB. */
export const fiveGibibytes = appFiles(10_240);

export const restoreInPlaceCases: readonly BenchCase[] = [
  {
    name,
    summary: 'how long an app of 5 GiB is down for a restore when 1 % of its files differ from the backup',
    inputs: [fiveGibibytes],
    freeGiB: 20,
    run: measureDowntime,
  },
];

/** In turn: a restore through server and command line, and no more than `docker stop` and `docker start`. */
async function measureDowntime(bench: Bench): Promise<readonly Figure[]> {
  const input = await bench.prepare(fiveGibibytes);
  using folder = newFolder(bench);
  using vault = newFolder(bench);
  await copyInput(bench, input, folder.path);
  const content = join(folder.path, 'content');
  await using environment = openEnvironment(folder.path);
  await using holdfast = await openServer(vault.path);
  await startApp(environment);
  const { backup } = await takeBackup(holdfast, environment.name, bench);
  const restore = holdfastCommand(holdfast, 'backup:restore', backup.id, '--yes');
  const downtimes: number[] = [];
  const stops: number[] = [];
  const wholes: number[] = [];
  for (let round = 1; round <= bench.rounds; round += 1) {
    const changed = changeFiles(content, everyNth);
    const downMs = await downtimeOf(environment, async () => {
      wholes.push((await bench.time(restore)).wallSeconds);
    });
    if (round === 1) requireRestored(input, content);
    downtimes.push(downMs / 1000);
    const stopMs = await downtimeOf(environment, async () => {
      await environment.stopAll();
      await environment.startAll();
    });
    stops.push(stopMs / 1000);
    const [down, stop] = [downMs, stopMs].map((ms) => `${ms.toFixed(0)} ms`);
    bench.say(
      `  ${round}/${bench.rounds}: ${changed} files; down for ${down}, for stop and start alone ${stop}`,
    );
  }
  return [
    figure({
      case: name,
      reach: oursMorePeerAtMost(mostSecondsMore, 's'),
      unit: 's',
      ours: series(downtimes).median,
      peer: series(stops).median,
      peerName: 'docker stop, docker start',
      details: {
        input: input.description,
        runs: [
          { name: 'holdfast', downtime_seconds: series(downtimes), whole_restore_seconds: series(wholes) },
          { name: 'docker stop, docker start', downtime_seconds: series(stops) },
        ],
      },
    }),
  ];
}
