import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Bench, type BenchCase, newPlace, SkippedCase } from '../lib/bench.ts';
import { type Figure, figure, oursAtMost, ratioAtMost } from '../lib/figure.ts';
import { removePlace } from '../lib/local-repository.ts';
import { type Contender, type Rounds, runInTurn } from '../lib/rounds.ts';
import { runUntimed } from '../measure/timed-process.ts';
import type { Peer, Place } from '../peers/peer.ts';
import { manyBlobs } from '../workloads/many-blobs.ts';
import { manyFiles } from '../workloads/many-files.ts';
import type { Workload } from '../workloads/workload.ts';
import { repeating } from './unchanged.ts';

const mostMiB = 600;
const millionFiles = manyFiles(1_000_000);
const fiveMillionBlobs = manyBlobs(5_000_000);

export const scaleCases: readonly BenchCase[] = [
  {
    name: 'nightly-million-files',
    summary: 'nightly run of 1,000,000 files, nothing changed',
    inputs: [millionFiles],
    isLong: true,
    freeGiB: 15,
    run: measureNightly,
  },
  {
    name: 'five-million-blobs',
    summary: 'a repository of 5,000,000 blobs: opening it, adding one file; forgetting one snapshot, pruning',
    inputs: [fiveMillionBlobs],
    isLong: true,
    freeGiB: 15,
    run: measureBlobs,
  },
];

async function measureNightly(bench: Bench): Promise<readonly Figure[]> {
  const input = await bench.prepare(millionFiles);
  const { holdfast, restic } = bench;
  const contenders = await repeating(bench, [holdfast, restic], { source: input.path, hasCache: true });
  const rounds = await runInTurn(bench, contenders);
  for (const { remove } of contenders) remove();
  const names = { name: 'nightly-million-files', ours: holdfast.name, peer: restic.name };
  return timeAndMemory(rounds, { ...names, input });
}

async function measureBlobs(bench: Bench): Promise<readonly Figure[]> {
  const { holdfast, restic } = bench;
  for (const verb of ['repository:forget', 'repository:prune']) {
    if (!holdfast.has(verb)) throw new SkippedCase(`holdfast has no ${verb}.`);
  }
  const input = await bench.prepare(fiveMillionBlobs);
  const peers = [holdfast, restic];
  const rounds = await runInTurn(
    bench,
    peers.flatMap((peer) => addAndPrune(bench, peer, input)),
  );
  return steps.flatMap((step) =>
    timeAndMemory(rounds, {
      name: `five-million-blobs/${step}`,
      ours: contenderName(holdfast, step),
      peer: contenderName(restic, step),
      input,
    }),
  );
}

const steps = ['add-one-file', 'prune'] as const;

/** In each round a copy of the repository gets a file, and is pruned after that. */
function addAndPrune(bench: Bench, peer: Peer, input: Workload): readonly Contender[] {
  let place: Place | undefined;
  const add = async () => {
    place = newPlace(bench);
    mkdirSync(dirname(place.repository), { recursive: true });
    cpSync(input.path, place.repository, { recursive: true, preserveTimestamps: true });
    const file = join(dirname(place.repository), 'one-file');
    writeFileSync(file, 'one file');
    return await bench.time(peer.backup(place, file));
  };
  const prune = async () => {
    if (place === undefined) throw new Error('There is nothing to prune yet.');
    await runUntimed(peer.forget(place, 1), bench);
    const run = await bench.time(peer.prune(place));
    removePlace(place);
    return run;
  };
  return [
    { name: contenderName(peer, 'add-one-file'), run: add },
    { name: contenderName(peer, 'prune'), run: prune },
  ];
}

function contenderName(peer: Peer, step: (typeof steps)[number]): string {
  return `${peer.name}, ${step}`;
}

interface Compared {
  readonly name: string;
  readonly ours: string;
  readonly peer: string;
  readonly input: Workload;
}

function timeAndMemory(rounds: Rounds, { name, ours, peer, input }: Compared): readonly Figure[] {
  const mine = rounds.summary().filter((one) => one.name === ours || one.name === peer);
  return [
    figure({
      case: name,
      reach: ratioAtMost(0.5),
      unit: 's',
      ours: rounds.wallSeconds(ours),
      peer: rounds.wallSeconds(peer),
      peerName: peer,
      details: { input: input.description, runs: mine },
    }),
    figure({
      case: `${name}/memory`,
      reach: oursAtMost(mostMiB, 'MiB'),
      unit: 'MiB',
      ours: rounds.peakMemoryMiB(ours),
      peer: rounds.peakMemoryMiB(peer),
      peerName: peer,
    }),
  ];
}
