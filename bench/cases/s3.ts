import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compareTrees } from '../../packages/engine/src/testing/compare-trees.ts';
import { type Bench, type BenchCase, newPlace } from '../lib/bench.ts';
import { type Figure, figure, forInformation, ratioAtLeast } from '../lib/figure.ts';
import { mebibytes, type Rounds, runInTurn } from '../lib/rounds.ts';
import { S3Bucket } from '../lib/s3-bucket.ts';
import { warm } from '../measure/disk.ts';
import { RequestCounter } from '../measure/request-counter.ts';
import { type Run, runUntimed } from '../measure/timed-process.ts';
import type { Peer, Place } from '../peers/peer.ts';
import { mixedFile } from '../workloads/single-files.ts';
import { smallFiles } from '../workloads/small-files.ts';
import type { Workload } from '../workloads/workload.ts';

export const s3Cases: readonly BenchCase[] = [
  {
    name: 's3',
    summary:
      'first backup of the 1 GiB file to S3, and its restore; requests of an unchanged run of the 50,000 files',
    inputs: [mixedFile, smallFiles],
    freeGiB: 6,
    run: measureS3,
  },
];

async function measureS3(bench: Bench): Promise<readonly Figure[]> {
  await using bucket = await S3Bucket.make();
  const [file, files] = [await bench.prepare(mixedFile), await bench.prepare(smallFiles)];
  warm(file.path);
  const { holdfast, restic } = bench;
  const rounds = await runInTurn(
    bench,
    [holdfast, restic].flatMap((peer) => backupAndRestore(bench, peer, { bucket, input: file })),
  );
  const requests = [];
  for (const peer of [holdfast, restic])
    requests.push(await nightlyRequests(bench, peer, { bucket, input: files }));
  const [ours = {}, theirs = {}] = requests;
  return [
    ...(['backup', 'restore'] as const).map((step) => speedFigure(bench, step, { rounds, input: file })),
    figure({
      case: 's3/requests-of-an-unchanged-run',
      reach: forInformation,
      unit: 'requests',
      ours: sum(ours),
      peer: sum(theirs),
      peerName: restic.name,
      details: { ours, peer: theirs, input: files.description },
    }),
  ];
}

interface InBucket {
  readonly bucket: S3Bucket;
  readonly input: Workload;
}

/** In each round a repository is made, and restored from after that. */
function backupAndRestore(bench: Bench, peer: Peer, { bucket, input }: InBucket) {
  const newS3Place = (round: number): Place => ({
    ...newPlace(bench),
    repository: bucket.location(`${peer.name}-${round}`),
  });
  let place = newS3Place(0);
  const backup = async (round: number): Promise<Run> => {
    place = newS3Place(round);
    await runUntimed(peer.init(place), bench);
    return await bench.time(peer.backup(place, input.path));
  };
  const restore = async (round: number): Promise<Run> => {
    const target = bench.newPath();
    mkdirSync(target);
    const run = await bench.time(peer.restore(place, target));
    const differences = round === 0 ? compareTrees(input.path, join(target, input.path)) : [];
    rmSync(target, { recursive: true });
    await bucket.removeAll();
    if (differences.length > 0) throw new Error(`${peer.name} restored something else: ${differences[0]}`);
    return run;
  };
  return [
    { name: `${peer.name}, backup`, run: backup },
    { name: `${peer.name}, restore`, run: restore },
  ];
}

/** How often the server is asked by a backup of what did not change since the last one, by method. */
async function nightlyRequests(
  bench: Bench,
  peer: Peer,
  { bucket, input }: InBucket,
): Promise<Record<string, number>> {
  await using counter = await RequestCounter.before(bucket.server);
  const place = { ...newPlace(bench), repository: bucket.location(`${peer.name}-nightly`, counter.url) };
  await runUntimed(peer.init(place), bench);
  await runUntimed(peer.backup(place, input.path), bench);
  counter.take();
  await runUntimed(peer.backup(place, input.path, 1), bench);
  await bucket.removeAll();
  return counter.take();
}

function speedFigure(
  { holdfast, restic }: Bench,
  step: 'backup' | 'restore',
  { rounds, input }: { readonly rounds: Rounds; readonly input: Workload },
): Figure {
  const speed = (peer: Peer) =>
    mebibytes(input.description.bytes) / rounds.wallSeconds(`${peer.name}, ${step}`);
  const mine = rounds.summary().filter(({ name }) => name.endsWith(`, ${step}`));
  return figure({
    case: `s3/${step}`,
    reach: ratioAtLeast(1.5),
    unit: 'MiB/s',
    ours: speed(holdfast),
    peer: speed(restic),
    peerName: restic.name,
    details: { input: input.description, runs: mine },
  });
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
