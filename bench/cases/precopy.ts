import { setTimeout as delay } from 'node:timers/promises';
import { freePort, nodeCommand } from '../environment/app-environment.ts';
import { below, newFolder, openEnvironment, openServer, projectOf } from '../environment/capture-bench.ts';
import { takeBackup, timeOf } from '../environment/consistent-backup.ts';
import { untilAnswers } from '../environment/until-answers.ts';
import type { Bench, BenchCase } from '../lib/bench.ts';
import { type Figure, figure, ratioAtMost } from '../lib/figure.ts';
import { LoadClient, type Sample } from '../load/load-client.ts';
import { percentile, series } from '../measure/statistics.ts';
import { runUntimed } from '../measure/timed-process.ts';
import { appFiles } from '../workloads/app-files.ts';

const name = 'precopy-latency';
const perSecond = 200;
const quietMs = 20_000;
const mostTimes = 1.5;
/** 2 GiB: each round backs all of it up into a new vault. */
const input = appFiles(4_000);

export const precopyCases: readonly BenchCase[] = [
  {
    name,
    summary:
      'an app’s p99 at 200 requests/s while all of its 2 GiB are read for the first time, and without a backup',
    inputs: [input],
    freeGiB: 8,
    run: measurePrecopy,
  },
];

async function measurePrecopy(bench: Bench): Promise<readonly Figure[]> {
  using folder = newFolder(bench);
  const prepared = await projectOf(bench, input);
  await runUntimed(
    { program: 'cp', args: ['-a', prepared.input.path, folder.path], env: process.env },
    bench,
  );
  below(folder.path, 'rows');
  await using environment = openEnvironment(folder.path);
  const port = await freePort();
  await environment.start({
    name: 'app',
    command: nodeCommand('bench/programs/row-and-file-app.ts', '/rows', String(port)),
    mounts: { content: '/data', rows: '/rows' },
  });
  const url = `http://127.0.0.1:${port}/`;
  await untilAnswers(url);
  const without: number[] = [];
  const during: number[] = [];
  for (let round = 1; round <= bench.rounds; round += 1) {
    bench.settle();
    const taken = await oneRound(bench, { url, environment: environment.name });
    without.push(taken.without);
    during.push(taken.during);
    bench.say(
      `  ${round}/${bench.rounds}: p99 ${taken.during.toFixed(1)} ms in ${taken.seconds.toFixed(0)} s of pre-copy, ${taken.without.toFixed(1)} ms without`,
    );
  }
  return [
    figure({
      case: name,
      reach: ratioAtMost(mostTimes),
      unit: 'ms',
      ours: series(during).median,
      peer: series(without).median,
      peerName: 'no backup',
      details: {
        input: prepared.input.description,
        requests_per_second: perSecond,
        runs: [
          { name: 'during the pre-copy', p99_ms: series(during) },
          { name: 'no backup', p99_ms: series(without) },
        ],
      },
    }),
  ];
}

interface Latencies {
  readonly without: number;
  readonly during: number;
  /** Of the pre-copy. */
  readonly seconds: number;
}

async function oneRound(
  bench: Bench,
  { url, environment }: { readonly url: string; readonly environment: string },
): Promise<Latencies> {
  using vault = newFolder(bench);
  await using holdfast = await openServer(vault.path);
  await using load = new LoadClient({ url, method: 'POST', perSecond, path: bench.newPath() });
  await delay(1_000);
  const startedMs = Date.now();
  await delay(Math.max(2_000, quietMs * bench.scale));
  const quietEndMs = Date.now();
  const taken = await takeBackup(holdfast, environment, bench);
  const samples = await load.stop();
  const [fromMs, toMs] = [timeOf(taken, 'Reading'), timeOf(taken, 'Read while the app ran')];
  return {
    without: p99(samples, startedMs, quietEndMs),
    during: p99(samples, fromMs, toMs),
    seconds: (toMs - fromMs) / 1000,
  };
}

function p99(samples: readonly Sample[], fromMs: number, toMs: number): number {
  const those = samples.filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs);
  const failed = those.filter(({ status }) => status !== 200);
  if (failed.length > 0) throw new Error(`${failed.length} requests failed: ${failed[0]?.word}`);
  return percentile(
    those.map(({ tookMs }) => tookMs),
    99,
  );
}
