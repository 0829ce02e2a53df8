import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { allPeers, type Bench, type BenchCase, newPlace, SkippedCase } from '../lib/bench.ts';
import { type Figure, figure, forInformation, ratioAtLeast, ratioAtMost } from '../lib/figure.ts';
import { backedUpPlace, removePlace } from '../lib/local-repository.ts';
import { mebibytes, runInTurn } from '../lib/rounds.ts';
import { bytesBelow, warm } from '../measure/disk.ts';
import { type Run, runUntimed } from '../measure/timed-process.ts';
import type { Peer, Place } from '../peers/peer.ts';
import { mixedFile } from '../workloads/single-files.ts';
import { smallFiles } from '../workloads/small-files.ts';
import { snapshotCount, snapshotsPlace, twentySnapshots } from '../workloads/twenty-snapshots.ts';
import type { Workload } from '../workloads/workload.ts';

export const maintenanceCases: readonly BenchCase[] = [
  {
    name: 'check-read-data',
    summary: 'check --read-data of a repository with the 1 GiB file and the 50,000 files',
    inputs: [mixedFile, smallFiles],
    freeGiB: 6,
    run: measureCheck,
  },
  {
    name: 'prune',
    summary: 'prune after forgetting half of 20 snapshots',
    inputs: [twentySnapshots],
    freeGiB: 6,
    run: measurePrune,
  },
];

/** Holdfast and restic check the same repository, which restic made. */
async function measureCheck(bench: Bench): Promise<readonly Figure[]> {
  const { holdfast, restic, borg } = bench;
  const [file, files] = [await bench.prepare(mixedFile), await bench.prepare(smallFiles)];
  const makers: readonly Peer[] = [restic, ...(borg === undefined ? [] : [borg])];
  const places = new Map<Peer, Place>();
  for (const peer of makers) {
    const place = await backedUpPlace(bench, peer, file.path);
    await runUntimed(peer.backup(place, files.path, 1), bench);
    warm(place.repository);
    places.set(peer, place);
  }
  const placeOf = (peer: Peer) => places.get(peer === holdfast ? restic : peer) ?? newPlace(bench);
  const repositoryBytes = bytesBelow(placeOf(restic).repository);
  const rounds = await runInTurn(
    bench,
    allPeers(bench).map((peer) => ({
      name: peer.name,
      run: () => bench.time(peer.checkData(placeOf(peer))),
    })),
  );
  for (const place of places.values()) removePlace(place);
  const speed = (who: string) => mebibytes(repositoryBytes) / rounds.wallSeconds(who);
  return [restic, ...(borg === undefined ? [] : [borg])].map((peer) =>
    figure({
      case: peer === restic ? 'check-read-data' : 'check-read-data/borg',
      reach: peer === restic ? ratioAtLeast(1.5) : forInformation,
      unit: 'MiB/s',
      ours: speed(holdfast.name),
      peer: speed(peer.name),
      peerName: peer.name,
      ...(peer === restic ? { details: { repository_bytes: repositoryBytes, runs: rounds.summary() } } : {}),
    }),
  );
}

async function measurePrune(bench: Bench): Promise<readonly Figure[]> {
  const { holdfast, restic } = bench;
  for (const verb of ['repository:forget', 'repository:prune']) {
    if (!holdfast.has(verb)) throw new SkippedCase(`holdfast has no ${verb}.`);
  }
  const input = await bench.prepare(twentySnapshots);
  const templateOf = (peer: Peer) =>
    snapshotsPlace(input.path, peer === holdfast ? restic : peer, bench.passwordFile);
  const peers = allPeers(bench).filter((peer) => existsSync(templateOf(peer).repository));
  const rounds = await runInTurn(
    bench,
    peers.map((peer) => ({
      name: peer.name,
      run: (round: number) => pruneOnce(bench, peer, { template: templateOf(peer), isChecked: round === 0 }),
    })),
  );
  return peers
    .filter((peer) => peer !== holdfast)
    .flatMap((peer) => pruneFigures(bench, { peer, input, rounds }));
}

interface PruneResult {
  readonly peer: Peer;
  readonly input: Workload;
  readonly rounds: Awaited<ReturnType<typeof runInTurn>>;
}

function pruneFigures({ holdfast, restic }: Bench, { peer, input, rounds }: PruneResult): readonly Figure[] {
  const isBound = peer === restic;
  const common = { peerName: peer.name };
  return [
    figure({
      ...common,
      case: isBound ? 'prune' : 'prune/borg',
      // 1.5 times as fast.
      reach: isBound ? ratioAtMost(0.667) : forInformation,
      unit: 's',
      ours: rounds.wallSeconds(holdfast.name),
      peer: rounds.wallSeconds(peer.name),
      ...(isBound ? { details: { input: input.description, runs: rounds.summary() } } : {}),
    }),
    figure({
      ...common,
      case: isBound ? 'prune/repository-size' : 'prune/repository-size-borg',
      reach: forInformation,
      unit: 'MiB',
      ours: rounds.repositoryMiB(holdfast.name),
      peer: rounds.repositoryMiB(peer.name),
    }),
  ];
}

interface OnePrune {
  /** The repository to begin with, which stays as it is. */
  readonly template: Place;
  /** Whether stock restic looks at what is left. */
  readonly isChecked: boolean;
}

async function pruneOnce(bench: Bench, peer: Peer, { template, isChecked }: OnePrune): Promise<Run> {
  const place = newPlace(bench);
  mkdirSync(dirname(place.repository), { recursive: true });
  cpSync(template.repository, place.repository, { recursive: true, preserveTimestamps: true });
  try {
    await runUntimed(peer.forget(place, snapshotCount / 2), bench);
    const run = await bench.time(peer.prune(place));
    const repositoryBytes = bytesBelow(place.repository);
    if (isChecked && peer !== bench.borg) await runUntimed(bench.restic.checkData(place), bench);
    return { ...run, repositoryBytes };
  } finally {
    removePlace(place);
  }
}
