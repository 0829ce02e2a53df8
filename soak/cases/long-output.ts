import { readFileSync } from 'node:fs';
import { isJobOver, type Job } from '@holdfast/protocol';
import { AppEnvironment } from '../../bench/environment/app-environment.ts';
import { below, databasesImage, openServer } from '../../bench/environment/capture-bench.ts';
import { mustRunDocker } from '../../bench/environment/docker-command.ts';
import type { Holdfast } from '../../e2e/support/holdfast.ts';
import { eventually } from '../../e2e/support/process.ts';
import type { SoakCase } from '../soak-case.ts';

const outputBytes = 10 * 2 ** 30;
/** What a backup of files of this size may take too. */
const mostMoverBytes = 300 * 2 ** 20;
const jobTimeoutMs = 1_800_000;
const print = `seq 1 9000000000 | head -c ${outputBytes}`;

/** A backup command that prints 10 GiB, and a restore command that takes them in: how much memory the movers take. */
export const longOutputCase: SoakCase = {
  name: 'long-output',
  run: async ({ path, signal, say }) => {
    const host = process.env.DOCKER_HOST;
    await using holdfast = await openServer(`${path}/server`, host);
    await using environment = new AppEnvironment({
      ...{ name: `hfsoak-${process.pid}-long`, folder: `${path}/project`, image: databasesImage(), host },
    });
    below(environment.folder, 'data');
    await environment.start({
      name: 'app',
      command: ['sleep', 'infinity'],
      mounts: { data: '/data' },
      labels: {
        'holdfast.backup.command': print,
        'holdfast.restore.command': 'sha256sum > /data/sum',
      },
    });
    const client = holdfast.client();
    const failed: string[] = [];
    const { job, backupId } = await client.call('backup.create', {
      params: { environment: environment.name },
      body: { mode: 'live' },
    });
    const backupPeak = await peakUntilDone(holdfast, job, signal);
    say(`backed up: the mover took ${mebibytes(backupPeak)} MiB`);
    const { job: restore } = await client.call('backup.restore', { params: { backup: backupId }, body: {} });
    const restorePeak = await peakUntilDone(holdfast, restore, signal);
    say(`restored: the movers took ${mebibytes(restorePeak)} MiB`);
    const container = environment.container('app');
    const wanted = await mustRunDocker(['exec', container, 'sh', '-c', `${print} | sha256sum`], host);
    const fed = await mustRunDocker(['exec', container, 'cat', '/data/sum'], host);
    if (fed !== wanted)
      failed.push(`the restore command got other bytes: ${fed.trim()} for ${wanted.trim()}`);
    for (const [what, peak] of [['backup', backupPeak] as const, ['restore', restorePeak] as const]) {
      if (peak > mostMoverBytes) failed.push(`the mover of the ${what} took ${mebibytes(peak)} MiB`);
    }
    const facts = {
      bytes: outputBytes,
      backup_peak_mebibytes: mebibytes(backupPeak),
      restore_peak_mebibytes: mebibytes(restorePeak),
    };
    return { runs: 1, failed, facts };
  },
};

/** @throws Error when the job does not end `done` */
async function peakUntilDone(holdfast: Holdfast, { id }: Job, signal: AbortSignal): Promise<number> {
  let peak = 0;
  const ended = await eventually(
    'the job ends',
    async () => {
      signal.throwIfAborted();
      peak = Math.max(peak, ...holdfast.moverPids().map(highestResidentBytes));
      const now = await holdfast.client().call('job.get', { params: { job: id } });
      return isJobOver(now.state) ? now : undefined;
    },
    jobTimeoutMs,
  );
  if (ended.state !== 'done') throw new Error(`the job ended ${ended.state}: ${ended.error?.message}`);
  return peak;
}

/** 0 for a process that is gone. */
function highestResidentBytes(pid: number): number {
  try {
    const [, kibibytes] = /^VmHWM:\s*([0-9]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
