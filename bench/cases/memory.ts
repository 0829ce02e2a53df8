import { mkdirSync, rmSync } from 'node:fs';
import type { Bench, BenchCase } from '../lib/bench.ts';
import { type Figure, figure, oursAtMost } from '../lib/figure.ts';
import { initPlace, removePlace } from '../lib/local-repository.ts';
import { type Contender, runInTurn } from '../lib/rounds.ts';
import type { Peer } from '../peers/peer.ts';
import { manyFiles, tenGibibytes } from '../workloads/many-files.ts';
import type { WorkloadRecipe } from '../workloads/workload.ts';

const mostMiB = 300;
/** Memory hardly differs between runs, and each takes minutes. */
const memoryRounds = 1;
const steps = ['backup', 'unchanged', 'restore'] as const;
type Step = (typeof steps)[number];

export const memoryCases: readonly BenchCase[] = [
  memoryCase('memory-10-gib', 'peak memory of the process tree: 10 GiB', tenGibibytes, 40),
  memoryCase('memory-500000-files', 'peak memory of the process tree: 500,000 files', manyFiles(500_000), 15),
];

function memoryCase(name: string, summary: string, input: WorkloadRecipe, freeGiB: number): BenchCase {
  return {
    name,
    summary: `${summary}; backup, the same again unchanged, restore`,
    inputs: [input],
    isLong: true,
    freeGiB,
    run: (bench) => measureMemory(bench, name, input),
  };
}

async function measureMemory(bench: Bench, name: string, input: WorkloadRecipe): Promise<readonly Figure[]> {
  const { path, description } = await bench.prepare(input);
  const { holdfast, restic } = bench;
  const life = async (peer: Peer) => repositoryLife(bench, peer, path);
  const lives = [await life(holdfast), await life(restic)];
  const rounds = await runInTurn(
    bench,
    lives.flatMap((one) => one.contenders),
    memoryRounds,
  );
  for (const { remove } of lives) remove();
  return steps.map((step, number) =>
    figure({
      case: `${name}/${step}`,
      reach: oursAtMost(mostMiB, 'MiB'),
      unit: 'MiB',
      ours: rounds.peakMemoryMiB(contenderName(holdfast, step)),
      peer: rounds.peakMemoryMiB(contenderName(restic, step)),
      peerName: restic.name,
      ...(number === 0 ? { details: { input: description, runs: rounds.summary() } } : {}),
    }),
  );
}

interface RepositoryLife {
  /** To be run in their order. */
  readonly contenders: readonly Contender[];
  remove(): void;
}

async function repositoryLife(bench: Bench, peer: Peer, source: string): Promise<RepositoryLife> {
  const place = await initPlace(bench, peer);
  const restore = async () => {
    const target = bench.newPath();
    mkdirSync(target);
    try {
      return await bench.time(peer.restore(place, target));
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  };
  return {
    contenders: [
      { name: contenderName(peer, 'backup'), run: () => bench.time(peer.backup(place, source)) },
      { name: contenderName(peer, 'unchanged'), run: () => bench.time(peer.backup(place, source, 1)) },
      { name: contenderName(peer, 'restore'), run: restore },
    ],
    remove: () => removePlace(place),
  };
}

function contenderName(peer: Peer, step: Step): string {
  return `${peer.name}, ${step}`;
}
