import { allPeers, type Bench, type BenchCase } from '../lib/bench.ts';
import { type Figure, figure, forInformation, type Reach, ratioAtLeast, ratioAtMost } from '../lib/figure.ts';
import { firstBackup } from '../lib/local-repository.ts';
import { mebibytes, runInTurn } from '../lib/rounds.ts';
import { warm } from '../measure/disk.ts';
import { runSelfTimed } from '../measure/self-timed.ts';
import { postgresDirectory } from '../workloads/postgres-directory.ts';
import { incompressibleFile, mixedFile } from '../workloads/single-files.ts';
import { smallFiles } from '../workloads/small-files.ts';
import type { WorkloadRecipe } from '../workloads/workload.ts';

const limitName = 'hash, compress and seal from memory, all processors';

interface FirstBackup {
  readonly name: string;
  readonly summary: string;
  readonly input: WorkloadRecipe;
  /** Times restic's throughput. */
  readonly timesRestic: number;
  readonly limit: Reach;
}

const firstBackups: readonly FirstBackup[] = [
  {
    name: 'first-backup-file',
    summary: 'first backup of a 1 GiB file of mixed binaries',
    input: mixedFile,
    timesRestic: 2,
    limit: ratioAtLeast(0.8),
  },
  {
    name: 'first-backup-small-files',
    summary: 'first backup of 50,000 small files, 580 MiB',
    input: smallFiles,
    timesRestic: 1.8,
    limit: ratioAtLeast(0.8),
  },
  {
    name: 'first-backup-postgres',
    summary: 'first backup of a PostgreSQL data directory made by pgbench, 1 GiB',
    input: postgresDirectory,
    timesRestic: 2,
    limit: forInformation,
  },
  {
    name: 'first-backup-incompressible',
    summary: 'first backup of 1 GiB that nothing compresses',
    input: incompressibleFile,
    timesRestic: 1.6,
    limit: ratioAtLeast(0.8),
  },
];

export const firstBackupCases: readonly BenchCase[] = firstBackups.map((one) => ({
  name: one.name,
  summary: one.summary,
  inputs: [one.input],
  freeGiB: 4,
  run: (bench) => measureFirstBackup(bench, one),
}));

async function measureFirstBackup(
  bench: Bench,
  { name, input, timesRestic, limit }: FirstBackup,
): Promise<readonly Figure[]> {
  const { path, description } = await bench.prepare(input);
  warm(path);
  const [holdfast, restic, ...others] = allPeers(bench);
  const trusting = bench.restic.with('--no-extra-verify');
  const peers = [bench.holdfast, bench.restic, trusting, ...others];
  const rounds = await runInTurn(bench, [
    ...peers.map((peer) => ({ name: peer.name, run: () => firstBackup(bench, peer, path) })),
    { name: limitName, run: () => runSelfTimed('limit/seal-limit.ts', [path], bench) },
  ]);
  if (holdfast === undefined || restic === undefined) throw new Error('There is nobody to compare.');
  const speed = (who: string) => mebibytes(description.bytes) / rounds.wallSeconds(who);
  const speedFigure = (suffix: string, peerName: string, reach: Reach, details?: Record<string, unknown>) =>
    figure({
      case: `${name}${suffix}`,
      reach,
      unit: 'MiB/s',
      ours: speed(holdfast.name),
      peer: speed(peerName),
      peerName,
      ...(details === undefined ? {} : { details }),
    });
  return [
    speedFigure('', restic.name, ratioAtLeast(timesRestic), { input: description, runs: rounds.summary() }),
    speedFigure('/no-extra-verify', trusting.name, forInformation),
    figure({
      case: `${name}/repository-size`,
      reach: ratioAtMost(1.05),
      unit: 'MiB',
      ours: rounds.repositoryMiB(holdfast.name),
      peer: rounds.repositoryMiB(restic.name),
      peerName: restic.name,
    }),
    speedFigure('/physical-limit', limitName, limit),
    ...others.map((peer) => speedFigure(`/${peer.name.split(' ')[0]}`, peer.name, forInformation)),
  ];
}
