import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { databasesImage, newFolder, openEnvironment, openServer } from '../environment/capture-bench.ts';
import { takeBackup } from '../environment/consistent-backup.ts';
import { docker } from '../environment/docker-command.ts';
import { copyInput, holdfastCommand, requireRestored, startApp } from '../environment/restored-app.ts';
import type { Bench, BenchCase } from '../lib/bench.ts';
import { type Figure, figure, forInformation, type Reach, ratioAtMost } from '../lib/figure.ts';
import { runInTurn } from '../lib/rounds.ts';
import { warm } from '../measure/disk.ts';
import { type Command, type Run, runUntimed } from '../measure/timed-process.ts';
import { fiveGibibytes } from './restore-in-place.ts';

const name = 'restore-empty';
const peerName = 'docker run … tar -x of a tar.zst';
const syncedName = `${peerName}, sync`;

export const restoreEmptyCases: readonly BenchCase[] = [
  {
    name,
    summary: 'a restore of 5 GiB into an empty mount, and a tar.zst unpacked into it in a container',
    inputs: [fiveGibibytes],
    freeGiB: 25,
    run: measureEmpty,
  },
];

/** The containers are stopped all the while: their stop and start is no work of either. */
async function measureEmpty(bench: Bench): Promise<readonly Figure[]> {
  const input = await bench.prepare(fiveGibibytes);
  using folder = newFolder(bench);
  using vault = newFolder(bench);
  await copyInput(bench, input, folder.path);
  const content = join(folder.path, 'content');
  const archive = join(vault.path, 'content.tar.zst');
  await packed(bench, content, archive);
  await using environment = openEnvironment(folder.path);
  await using holdfast = await openServer(vault.path);
  await startApp(environment);
  const { backup } = await takeBackup(holdfast, environment.name, bench);
  await environment.stopAll();
  warm(vault.path);
  const intoEmpty = async (command: Command): Promise<Run> => {
    for (const entry of readdirSync(content)) rmSync(join(content, entry), { recursive: true });
    return await bench.time(command);
  };
  const restore = holdfastCommand(holdfast, 'backup:restore', backup.id, '--yes');
  const unpack = unpacking(archive, content, '');
  const unpackAndSync = unpacking(archive, content, ' && sync -f /target');
  const rounds = await runInTurn(bench, [
    { name: peerName, run: async () => await intoEmpty(unpack) },
    { name: syncedName, run: async () => await intoEmpty(unpackAndSync) },
    { name: 'holdfast', run: async () => await intoEmpty(restore) },
  ]);
  requireRestored(input, content);
  const compared = (suffix: string, peer: string, reach: Reach) => ({
    ...{ case: `${name}${suffix}`, reach, unit: 's' as const, peerName: peer },
    ...{ ours: rounds.wallSeconds('holdfast'), peer: rounds.wallSeconds(peer) },
  });
  // Processor time and memory are those of the commands alone, not of what server and engine do for them.
  const details = { input: input.description, runs: rounds.summary() };
  return [
    figure({ ...compared('', peerName, ratioAtMost(1)), details }),
    // What was restored is on stable storage when the command ends.
    figure(compared('/synced', syncedName, forInformation)),
  ];
}

async function packed(bench: Bench, folder: string, archive: string): Promise<void> {
  const line = 'tar --create --directory "$0" . | zstd -3 --threads=0 --quiet -o "$1"';
  const args = ['-o', 'pipefail', '-c', line, folder, archive];
  await runUntimed({ program: 'bash', args, env: process.env }, bench);
}

/** With the machine's own tar and zstd, of which an image may have none. */
function unpacking(archive: string, folder: string, after: string): Command {
  const mounts = ['/usr:/usr:ro', `${archive}:/archive.tar.zst:ro`, `${folder}:/target`];
  return {
    program: docker,
    args: [
      ...['run', '--rm', '--network', 'none', ...mounts.flatMap((mount) => ['--volume', mount])],
      ...[databasesImage(), 'sh', '-c', `tar --zstd -xpf /archive.tar.zst -C /target${after}`],
    ],
    env: process.env,
  };
}
