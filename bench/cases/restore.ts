import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { compareTrees } from '../../packages/engine/src/testing/compare-trees.ts';
import { allPeers, type Bench, type BenchCase, SkippedCase } from '../lib/bench.ts';
import { type Figure, figure, forInformation, type Reach, ratioAtLeast } from '../lib/figure.ts';
import { backedUpPlace, removePlace } from '../lib/local-repository.ts';
import { type Contender, mebibytes, runInTurn } from '../lib/rounds.ts';
import { fileSystemOf, freeBytes, warm } from '../measure/disk.ts';
import { runSelfTimed } from '../measure/self-timed.ts';
import { type Run, runUntimed } from '../measure/timed-process.ts';
import type { Peer, Place } from '../peers/peer.ts';
import { mixedFile } from '../workloads/single-files.ts';
import { smallFiles } from '../workloads/small-files.ts';
import type { Workload, WorkloadRecipe } from '../workloads/workload.ts';

const memoryFolder = '/dev/shm';
const neededInMemory = 3 * 1024 ** 3;

interface Restore {
  readonly name: string;
  readonly summary: string;
  readonly input: WorkloadRecipe;
  readonly timesRestic: number;
  /** The file system restored to: the one of the repositories, or one in memory. */
  readonly to: 'disk' | 'tmpfs';
}

const restores: readonly Restore[] = [
  {
    name: 'restore-file',
    summary: 'restore of the 1 GiB file, to disk',
    input: mixedFile,
    timesRestic: 1.5,
    to: 'disk',
  },
  {
    name: 'restore-small-files',
    summary: 'restore of the 50,000 files, to disk',
    input: smallFiles,
    timesRestic: 1.5,
    to: 'disk',
  },
  {
    name: 'restore-file-tmpfs',
    summary: 'restore of the 1 GiB file, to tmpfs',
    input: mixedFile,
    timesRestic: 2,
    to: 'tmpfs',
  },
  {
    name: 'restore-small-files-tmpfs',
    summary: 'restore of the 50,000 files, to tmpfs',
    input: smallFiles,
    timesRestic: 2,
    to: 'tmpfs',
  },
];

export const restoreCases: readonly BenchCase[] = restores.map((one) => ({
  name: one.name,
  summary: one.summary,
  inputs: [one.input],
  freeGiB: 8,
  run: (bench) => measureRestore(bench, one),
}));

async function measureRestore(bench: Bench, restore: Restore): Promise<readonly Figure[]> {
  const near = restore.to === 'disk' ? undefined : memoryFileSystem();
  const input = await bench.prepare(restore.input);
  warm(input.path);
  const places = new Map<Peer, Place>();
  for (const peer of allPeers(bench)) {
    const place = await backedUpPlace(bench, peer, input.path);
    warm(place.repository);
    places.set(peer, place);
  }
  const intoTarget = (run: (target: string) => Promise<Run>) => () => inNewFolder(bench, near, run);
  const floors = await floorsOf(bench, input);
  const rounds = await runInTurn(bench, [
    ...[...places].map(([peer, place]) => ({
      name: peer.name,
      run: (round: number) =>
        intoTarget((target) => restoreOnce(bench, { peer, place, input, target, isCompared: round === 0 }))(),
    })),
    ...floors.map(({ name, into }) => ({ name, run: intoTarget(into) })),
  ]);
  for (const place of places.values()) removePlace(place);
  return figuresOf(bench, restore, { input, rounds, floors, near });
}

interface Restored {
  readonly input: Workload;
  readonly rounds: Awaited<ReturnType<typeof runInTurn>>;
  readonly floors: readonly Floor[];
  readonly near: string | undefined;
}

function figuresOf(
  bench: Bench,
  { name, timesRestic, to }: Restore,
  { input, rounds, floors, near }: Restored,
): readonly Figure[] {
  const speed = (who: string) => mebibytes(input.description.bytes) / rounds.wallSeconds(who);
  const { holdfast, restic, borg } = bench;
  const compared = (suffix: string, peerName: string, reach: Reach) =>
    figure({
      case: `${name}${suffix}`,
      reach,
      unit: 'MiB/s',
      ours: speed(holdfast.name),
      peer: speed(peerName),
      peerName,
    });
  const fileSystem = fileSystemOf(near ?? bench.logFolder);
  return [
    {
      ...compared('', restic.name, ratioAtLeast(timesRestic)),
      details: { input: input.description, file_system: fileSystem, runs: rounds.summary() },
    },
    ...floors.map((floor) =>
      compared(
        `/${floor.suffix}`,
        floor.name,
        to === 'disk' && floor.isBound ? ratioAtLeast(0.8) : forInformation,
      ),
    ),
    ...(borg === undefined ? [] : [compared('/borg', borg.name, forInformation)]),
  ];
}

interface Floor {
  readonly suffix: string;
  readonly name: Contender['name'];
  /** False for what is told beside, such as another program. */
  readonly isBound: boolean;
  into(target: string): Promise<Run>;
}

/** Neither program waits for the disk after a restore: so the floor is the one that does not. */
async function floorsOf(bench: Bench, { path, description }: Workload): Promise<readonly Floor[]> {
  if (statSync(path).isFile()) {
    const write = (name: string, ...options: readonly string[]): Omit<Floor, 'suffix' | 'isBound'> => ({
      name,
      into: (target) =>
        runSelfTimed(
          'floor/write-file.ts',
          [String(description.bytes), join(target, 'file'), ...options],
          bench,
        ),
    });
    return [
      { ...write('bare writing'), suffix: 'bare-writing', isBound: true },
      { ...write('bare writing and fsync', '--fsync'), suffix: 'bare-writing-fsync', isBound: true },
    ];
  }
  const archive = bench.newPath();
  await runUntimed({ program: 'tar', args: ['-cf', archive, '-C', path, '.'], env: process.env }, bench);
  return [
    {
      suffix: 'bare-creation',
      name: 'bare creation of the files',
      isBound: true,
      into: (target) => runSelfTimed('floor/create-files.ts', [path, join(target, 'tree')], bench),
    },
    {
      suffix: 'tar',
      name: 'tar -x',
      isBound: false,
      into: (target) =>
        bench.time({ program: 'tar', args: ['-xpf', archive, '-C', target], env: process.env }),
    },
  ];
}

interface OneRestore {
  readonly peer: Peer;
  readonly place: Place;
  readonly input: Workload;
  readonly target: string;
  readonly isCompared: boolean;
}

async function restoreOnce(
  bench: Bench,
  { peer, place, input, target, isCompared }: OneRestore,
): Promise<Run> {
  const run = await bench.time(peer.restore(place, target));
  if (isCompared) {
    const differences = compareTrees(input.path, join(target, input.path));
    if (differences.length > 0) {
      throw new Error(`${peer.name} restored something else: ${differences.slice(0, 5).join('; ')}`);
    }
  }
  return run;
}

async function inNewFolder(
  bench: Bench,
  near: string | undefined,
  run: (target: string) => Promise<Run>,
): Promise<Run> {
  const target = bench.newPath(near === undefined ? {} : { near });
  mkdirSync(target, { recursive: true });
  try {
    return await run(target);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

/** @throws SkippedCase */
function memoryFileSystem(): string {
  if (fileSystemOf(memoryFolder) !== 'tmpfs' || freeBytes(memoryFolder) < neededInMemory) {
    throw new SkippedCase(`${memoryFolder} is no tmpfs with 3 GiB free.`);
  }
  return memoryFolder;
}
