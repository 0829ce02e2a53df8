import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AppEnvironment, freePort, nodeCommand } from '../environment/app-environment.ts';
import { below, newFolder, openEnvironment, openServer } from '../environment/capture-bench.ts';
import { type SeenFreeze, seenFreeze, takeBackup } from '../environment/consistent-backup.ts';
import { untilAnswers } from '../environment/until-answers.ts';
import type { Bench, BenchCase } from '../lib/bench.ts';
import {
  type Figure,
  figure,
  forInformation,
  oursAtMost,
  oursMorePeerAtMost,
  ratioAtLeast,
} from '../lib/figure.ts';
import { LoadClient, type Sample } from '../load/load-client.ts';
import { percentile, series } from '../measure/statistics.ts';

const heldPerSecond = 500;
/** In a quick run, which also has to pass on a machine that does other work. */
const quickPerSecond = 100;
const costPerSecond = 1_000;
const mostMoreMs = 300;
const mostCostMs = 2;
const leastThroughput = 0.2;
/** So much load before, between and after backups. */
const aroundMs = 2_000;
const costMs = 10_000;

export const gateCases: readonly BenchCase[] = [
  {
    name: 'gate-requests',
    summary:
      '500 requests/s through the gate, one consistent backup in each round: none fails, none waits long',
    inputs: [],
    freeGiB: 1,
    run: measureRequests,
  },
  {
    name: 'gate-cost',
    summary:
      'what the gate costs while nothing is held: latency at 1,000 requests/s, and throughput beside nginx',
    inputs: [],
    freeGiB: 1,
    run: measureCost,
  },
];

async function startGate(environment: AppEnvironment, appPort: number): Promise<string> {
  const port = await freePort();
  const to = `http://127.0.0.1:${appPort}`;
  await environment.start({
    name: 'gate',
    command: ['holdfast', 'gate', '--listen', `127.0.0.1:${port}`, '--to', to],
    labels: { 'holdfast.gate': 'true' },
  });
  const url = `http://127.0.0.1:${port}/`;
  await untilAnswers(url);
  return url;
}

async function measureRequests(bench: Bench): Promise<readonly Figure[]> {
  using project = newFolder(bench);
  using vault = newFolder(bench);
  below(project.path, 'rows');
  await using environment = openEnvironment(project.path);
  const appPort = await freePort();
  const command = nodeCommand('bench/programs/row-and-file-app.ts', '/rows', String(appPort));
  await environment.start({ name: 'app', command, mounts: { rows: '/rows' } });
  const url = await startGate(environment, appPort);
  await using holdfast = await openServer(vault.path);
  const perSecond = bench.scale === 1 ? heldPerSecond : quickPerSecond;
  await using load = new LoadClient({ url, method: 'POST', perSecond, path: bench.newPath() });
  const freezes: SeenFreeze[] = [];
  const held: number[] = [];
  for (let round = 1; round <= bench.rounds; round += 1) {
    await delay(aroundMs);
    const taken = await takeBackup(holdfast, environment.name, bench);
    const freeze = await seenFreeze(environment, taken);
    freezes.push(freeze);
    held.push(taken.backup.capture?.requestsHeld ?? 0);
    bench.say(
      `  ${round}/${bench.rounds}: ${freeze.lengthMs.toFixed(0)} ms ${JSON.stringify(freeze.pieces)}`,
    );
  }
  await delay(aroundMs);
  const samples = await load.stop();
  const waits = freezes.map((freeze) => longestWait(samples, freeze));
  return requestFigures({ perSecond, samples, freezes, waits, held, rows: await rowsOf(environment) });
}

interface Requests {
  readonly perSecond: number;
  readonly samples: readonly Sample[];
  readonly freezes: readonly SeenFreeze[];
  /** Of each round. */
  readonly waits: readonly number[];
  readonly held: readonly number[];
  readonly rows: ReadonlySet<string>;
}

function requestFigures({ perSecond, samples, freezes, waits, held, rows }: Requests): readonly Figure[] {
  const answered = samples.filter(({ status }) => status === 200);
  const failed = samples.length - answered.length;
  const lost = answered.filter(({ word }) => !rows.has(word)).length;
  const twice = rows.size - answered.length;
  const more = waits.map((wait, round) => wait - (freezes[round]?.lengthMs ?? 0));
  const worst = more.indexOf(Math.max(...more));
  return [
    figure({
      case: 'gate-requests',
      reach: oursAtMost(0, 'requests'),
      unit: 'requests',
      ours: failed + lost + Math.abs(twice),
      peer: samples.length,
      peerName: 'all that were sent',
      details: {
        failed,
        reasons: reasonsOf(samples),
        lost,
        done_and_not_answered: twice,
        held,
        requests_per_second: perSecond,
      },
    }),
    figure({
      case: 'gate-requests/longest-wait',
      reach: oursMorePeerAtMost(mostMoreMs, 'ms'),
      unit: 'ms',
      ours: waits[worst] ?? 0,
      peer: freezes[worst]?.lengthMs ?? 0,
      peerName: 'the freeze, as the app saw it, in the round where they differ most',
      details: {
        waits_ms: series(waits),
        freezes_ms: series(freezes.map((freeze) => freeze.lengthMs)),
        pieces: freezes.map(({ pieces }) => pieces),
      },
    }),
  ];
}

/** How many failed for which reason. */
function reasonsOf(samples: readonly Sample[]): Readonly<Record<string, number>> {
  const reasons: Record<string, number> = {};
  for (const { status, word } of samples) {
    if (status !== 200) reasons[`${status} ${word}`] = (reasons[`${status} ${word}`] ?? 0) + 1;
  }
  return reasons;
}

/** Of the requests that were due in the freeze or shortly before it. */
function longestWait(samples: readonly Sample[], { fromMs, toMs }: SeenFreeze): number {
  const near = samples.filter(({ dueMs, tookMs }) => dueMs < toMs && dueMs + tookMs > fromMs);
  return Math.max(0, ...near.map(({ tookMs }) => tookMs));
}

async function rowsOf(environment: AppEnvironment): Promise<ReadonlySet<string>> {
  const rows = await environment.exec('app', 'cat', '/rows/rows');
  return new Set(rows.trim().split('\n'));
}

async function measureCost(bench: Bench): Promise<readonly Figure[]> {
  using project = newFolder(bench);
  await using environment = openEnvironment(project.path);
  const [direct, nginx] = await startNginx(environment);
  const gate = await startGate(environment, Number(new URL(direct).port));
  const ways = { direct, nginx, gate };
  const p99s = { direct: [] as number[], nginx: [] as number[], gate: [] as number[] };
  const throughputs = { direct: [] as number[], nginx: [] as number[], gate: [] as number[] };
  for (const url of Object.values(ways)) await throughput(environment, url, 1);
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const way of ['direct', 'nginx', 'gate'] as const) {
      bench.signal.throwIfAborted();
      const [p99, perSecond] = [
        await latency(bench, ways[way]),
        await throughput(environment, ways[way], Math.max(1, 5 * bench.scale)),
      ];
      p99s[way].push(p99);
      throughputs[way].push(perSecond);
      bench.say(
        `  ${round}/${bench.rounds} ${way}: p99 ${p99.toFixed(2)} ms, ${perSecond.toFixed(0)} requests/s`,
      );
    }
  }
  const runs = (['direct', 'nginx', 'gate'] as const).map((way) => ({
    name: way,
    p99_ms: series(p99s[way]),
    requests_per_second: series(throughputs[way]),
  }));
  const latencies = { unit: 'ms', ours: series(p99s.gate).median } as const;
  return [
    figure({
      ...{ case: 'gate-cost/latency', reach: oursMorePeerAtMost(mostCostMs, 'ms'), ...latencies },
      ...{ peer: series(p99s.direct).median, peerName: 'the app itself', details: { runs } },
    }),
    figure({
      ...{ case: 'gate-cost/latency-nginx', reach: forInformation, ...latencies },
      ...{ peer: series(p99s.nginx).median, peerName: 'nginx as a reverse proxy' },
    }),
    figure({
      ...{ case: 'gate-cost/throughput', reach: ratioAtLeast(leastThroughput), unit: 'requests/s' },
      ours: series(throughputs.gate).median,
      peer: series(throughputs.nginx).median,
      peerName: 'nginx as a reverse proxy',
    }),
  ];
}

/** The app, and nginx as a reverse proxy before it: both with one process. Gives their addresses. */
async function startNginx(environment: AppEnvironment): Promise<readonly [string, string]> {
  const ports = [await freePort(), await freePort()] as const;
  const conf = below(environment.folder, 'conf');
  const head = 'worker_processes 1; daemon off; error_log /dev/stderr; events { worker_connections 4096; }';
  const upstream = `upstream app { server 127.0.0.1:${ports[0]}; keepalive 256; }`;
  const proxy =
    'location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }';
  const servers = {
    app: `server { listen 127.0.0.1:${ports[0]}; keepalive_requests 1000000; location / { return 200 "ready\\n"; } }`,
    nginx: `${upstream} server { listen 127.0.0.1:${ports[1]}; keepalive_requests 1000000; ${proxy} }`,
  };
  for (const [name, server] of Object.entries(servers)) {
    const text = `${head}\npid /tmp/nginx.pid;\nhttp { access_log off; ${server} }\n`;
    writeFileSync(join(conf, `${name}.conf`), text);
    await environment.start({
      name,
      command: ['nginx', '-c', `/conf/${name}.conf`],
      mounts: { conf: '/conf' },
    });
  }
  const urls = [`http://127.0.0.1:${ports[0]}/`, `http://127.0.0.1:${ports[1]}/`] as const;
  for (const url of urls) await untilAnswers(url);
  return urls;
}

async function latency(bench: Bench, url: string): Promise<number> {
  await using load = new LoadClient({ url, method: 'GET', perSecond: costPerSecond, path: bench.newPath() });
  await delay(1_000);
  const fromMs = Date.now();
  await delay(Math.max(1_000, costMs * bench.scale));
  const samples = (await load.stop()).filter(({ dueMs }) => dueMs >= fromMs);
  if (samples.some(({ status }) => status !== 200)) throw new Error(`Requests to ${url} failed.`);
  return percentile(
    samples.map(({ tookMs }) => tookMs),
    99,
  );
}

/** By wrk: closed loop, 64 connections. */
async function throughput(environment: AppEnvironment, url: string, seconds: number): Promise<number> {
  const output = await environment.exec('app', 'wrk', '-t1', '-c64', `-d${Math.ceil(seconds)}s`, url);
  const perSecond = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  if (perSecond === undefined || /Non-2xx|Socket errors/.test(output)) throw new Error(`wrk: ${output}`);
  return Number(perSecond);
}
