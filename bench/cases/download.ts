import { dirname } from 'node:path';
import { newFolder, openEnvironment, openServer } from '../environment/capture-bench.ts';
import { takeBackup } from '../environment/consistent-backup.ts';
import { holdfastCommand, startApp } from '../environment/restored-app.ts';
import type { Bench, BenchCase } from '../lib/bench.ts';
import { type Figure, figure, forInformation, type Reach, ratioAtLeast } from '../lib/figure.ts';
import { backedUpPlace, removePlace } from '../lib/local-repository.ts';
import { mebibytes, runInTurn } from '../lib/rounds.ts';
import { warm } from '../measure/disk.ts';
import type { Command } from '../measure/timed-process.ts';
import { fiveGibibytes } from './restore-in-place.ts';

const name = 'download';
const timesRestic = 2;

export const downloadCases: readonly BenchCase[] = [
  {
    name,
    summary:
      'a component of 5 GiB downloaded as plain tar, and restic dump of the same tree; both as zip too',
    inputs: [fiveGibibytes],
    freeGiB: 20,
    run: measureDownload,
  },
];

/** Our download has a manifest and the SHA-256 of each file in it; restic's has not. */
async function measureDownload(bench: Bench): Promise<readonly Figure[]> {
  const { restic } = bench;
  const { path, description } = await bench.prepare(fiveGibibytes);
  using vault = newFolder(bench);
  await using environment = openEnvironment(dirname(path));
  await using holdfast = await openServer(vault.path);
  await startApp(environment);
  const { backup } = await takeBackup(holdfast, environment.name, bench);
  const place = await backedUpPlace(bench, restic, path);
  warm(vault.path);
  warm(place.repository);
  const ours = (format: string) => {
    const options = ['--component', 'app', '--archive', format, '-o', '-'];
    return toNowhere(holdfastCommand(holdfast, 'backup:download', backup.id, ...options));
  };
  const run = (command: Command) => async () => await bench.time(command);
  const rounds = await runInTurn(bench, [
    { name: 'holdfast tar', run: run(ours('tar')) },
    { name: 'restic dump', run: run(toNowhere(restic.dump(place, path, 'tar'))) },
    { name: 'holdfast zip', run: run(ours('zip')) },
    { name: 'restic dump zip', run: run(toNowhere(restic.dump(place, path, 'zip'))) },
    { name: 'holdfast tar.zst', run: run(ours('tar.zst')) },
  ]);
  removePlace(place);
  const speed = (who: string) => mebibytes(description.bytes) / rounds.wallSeconds(who);
  const compared = (suffix: string, [who, peerName]: readonly [string, string], reach: Reach) =>
    figure({
      case: `${name}${suffix}`,
      reach,
      unit: 'MiB/s',
      ours: speed(who),
      peer: speed(peerName),
      peerName,
      // Processor time and memory of ours are the command's alone: another process packs.
      ...(suffix === '' ? { details: { input: description, runs: rounds.summary() } } : {}),
    });
  return [
    compared('', ['holdfast tar', 'restic dump'], ratioAtLeast(timesRestic)),
    compared('/zip', ['holdfast zip', 'restic dump zip'], forInformation),
    compared('/tar.zst', ['holdfast tar.zst', 'restic dump'], forInformation),
  ];
}

function toNowhere({ program, args, env }: Command): Command {
  return { program: 'bash', args: ['-c', 'exec "$0" "$@" >/dev/null', program, ...args], env };
}
