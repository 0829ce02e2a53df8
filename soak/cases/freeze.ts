import { setTimeout as delay } from 'node:timers/promises';
import { isJobOver } from '@holdfast/protocol';
import { AppEnvironment, inContainer } from '../../bench/environment/app-environment.ts';
import { below, databasesImage, openServer } from '../../bench/environment/capture-bench.ts';
import { mustRunDocker } from '../../bench/environment/docker-command.ts';
import { series } from '../../bench/measure/statistics.ts';
import { eventually, mustRun } from '../../e2e/support/process.ts';
import type { SoakCase, SoakOptions, SoakOutcome } from '../soak-case.ts';

const writers = ['one', 'two', 'three'] as const;
const backupTimeoutMs = 300_000;
const betweenMs = 300;

/** Containers that fsync as hard as they can, backed up again and again: on cgroup v2, and on v1, where a freeze may fail. */
export const freezeCases: readonly SoakCase[] = [
  {
    name: 'freeze-v2',
    run: async (options) =>
      await runFreezes(options, { host: process.env.DOCKER_HOST, cgroup: '2', mayFail: false }),
  },
  {
    name: 'freeze-v1',
    run: async (options) =>
      await runFreezes(options, { host: process.env.HOLDFAST_TEST_NODE2_SOCKET, cgroup: '1', mayFail: true }),
  },
];

interface Engine {
  readonly host: string | undefined;
  /** Which version of cgroup it has to use. */
  readonly cgroup: string;
  /** A backup may fail with `freeze-failed`; the containers go on all the same. */
  readonly mayFail: boolean;
}

async function runFreezes(options: SoakOptions, { host, cgroup, mayFail }: Engine): Promise<SoakOutcome> {
  if (!host)
    throw new Error('There is no test bed: eval "$(script/testbed up docker node2 images databases)"');
  const version = await mustRunDocker(['info', '--format', '{{.CgroupVersion}}'], host);
  if (version.trim() !== cgroup) throw new Error(`The engine at ${host} is on cgroup v${version.trim()}.`);
  await bringImage(host);
  const { path, rounds, signal, say } = options;
  await using holdfast = await openServer(`${path}/server`, host);
  await using environment = new AppEnvironment({
    ...{ name: `hfsoak-${process.pid}-v${cgroup}`, folder: `${path}/project`, image: databasesImage(), host },
  });
  for (const name of writers) {
    below(environment.folder, name);
    const command = ['sh', inContainer('soak/programs/fsync-writers.sh'), '/data'];
    await environment.start({ name, command, mounts: { [name]: '/data' } });
  }
  const client = holdfast.client();
  const failed: string[] = [];
  const frozenMs: number[] = [];
  const codes: Record<string, number> = {};
  for (let round = 1; round <= rounds; round += 1) {
    await delay(betweenMs, undefined, { signal });
    const params = { environment: environment.name };
    const { job, backupId } = await client.call('backup.create', { params, body: {} });
    const ended = await eventually(
      'the backup ends',
      async () => {
        const now = await client.call('job.get', { params: { job: job.id } });
        return isJobOver(now.state) ? now : undefined;
      },
      backupTimeoutMs,
    );
    const outcome = ended.error?.code ?? 'ready';
    codes[outcome] = (codes[outcome] ?? 0) + 1;
    if (outcome !== 'ready' && !(mayFail && outcome === 'freeze-failed')) {
      failed.push(`round ${round}: ${outcome}: ${ended.error?.message}`);
    }
    const { capture } = await client.call('backup.get', { params: { backup: backupId } });
    if (capture?.frozenMs != null) frozenMs.push(capture.frozenMs);
    const states = await Promise.all(writers.map((name) => environment.state(name)));
    if (states.some((state) => state !== 'running')) failed.push(`round ${round}: containers are ${states}`);
    say(`${round}/${rounds}: ${outcome}`);
  }
  if (frozenMs.length === 0) failed.push('no freeze succeeded at all');
  const facts = { outcomes: codes, ...(frozenMs.length > 0 ? { frozen_ms: series(frozenMs) } : {}) };
  return { runs: rounds, failed, facts };
}

/** The other engine has images of its own. */
async function bringImage(host: string): Promise<void> {
  const image = databasesImage();
  const found = await mustRunDocker(['images', '--quiet', image], host);
  if (found.trim() !== '') return;
  const line = 'docker save "$0" | docker --host "$1" load';
  await mustRun('bash', ['-o', 'pipefail', '-c', line, image, host], { timeoutMs: backupTimeoutMs });
}
