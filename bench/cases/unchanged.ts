import { allPeers, type Bench, type BenchCase } from '../lib/bench.ts';
import { type Figure, figure, forInformation, type Reach, ratioAtMost } from '../lib/figure.ts';
import { backedUpPlace, removePlace } from '../lib/local-repository.ts';
import { type Contender, runInTurn } from '../lib/rounds.ts';
import { warm } from '../measure/disk.ts';
import type { Peer } from '../peers/peer.ts';
import { smallFiles } from '../workloads/small-files.ts';

const name = 'unchanged-small-files';

export const unchangedCases: readonly BenchCase[] = [
  {
    name,
    summary: 'the same 50,000 files again, nothing changed; with the cache and without',
    inputs: [smallFiles],
    freeGiB: 6,
    run: measureUnchanged,
  },
];

async function measureUnchanged(bench: Bench): Promise<readonly Figure[]> {
  const { path, description } = await bench.prepare(smallFiles);
  warm(path);
  const { holdfast, restic } = bench;
  const contenders = [
    ...(await repeating(bench, allPeers(bench), { source: path, hasCache: true })),
    ...(await repeating(bench, [holdfast, restic], { source: path, hasCache: false })),
  ];
  const rounds = await runInTurn(bench, contenders);
  for (const { remove } of contenders) remove();
  const seconds = (suffix: string, [ours, peer]: readonly [string, string], reach: Reach, details?: object) =>
    figure({
      case: `${name}${suffix}`,
      reach,
      unit: 's',
      ours: rounds.wallSeconds(ours),
      peer: rounds.wallSeconds(peer),
      peerName: peer,
      ...(details === undefined ? {} : { details: { ...details } }),
    });
  const reach = ratioAtMost(0.6);
  const withoutCache = [holdfast, restic].map((peer) => contenderName(peer, false)) as [string, string];
  return [
    seconds('', [holdfast.name, restic.name], reach, { input: description, runs: rounds.summary() }),
    seconds('/without-cache', withoutCache, reach),
    ...(bench.borg ? [seconds('/borg', [holdfast.name, bench.borg.name], forInformation)] : []),
  ];
}

interface Repeating {
  readonly source: string;
  readonly hasCache: boolean;
}

/** Programs that each have a repository with a backup of the source, and back it up once more in every run. */
export async function repeating(
  bench: Bench,
  peers: readonly Peer[],
  { source, hasCache }: Repeating,
): Promise<readonly (Contender & { remove(): void })[]> {
  const contenders = [];
  for (const peer of peers) {
    const made = await backedUpPlace(bench, peer, source);
    const place = hasCache ? made : { ...made, cache: undefined };
    contenders.push({
      name: contenderName(peer, hasCache),
      run: (round: number) => bench.time(peer.backup(place, source, round + 1)),
      remove: () => removePlace(made),
    });
  }
  return contenders;
}

function contenderName(peer: Peer, hasCache: boolean): string {
  return hasCache ? peer.name : `${peer.name}, no cache`;
}
