import { HoldfastError, sleep } from '@holdfast/base';
import type { DockerEngine } from '@holdfast/docker';
import type { FeedTask } from '@holdfast/protocol';
import type { Mover } from '../../runner/mover.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';
import { healthyWithinMs } from './until-healthy.ts';

const pollMs = 500;

/** Has the mover fetch and authenticate all that it will feed. */
export async function fetchForCommands(run: JobRun, mover: Mover): Promise<void> {
  run.step('Fetching and checking what commands are to take in');
  mover.send({ type: 'go' });
  await mover.waitFor('sealed', run);
}

/**
 * Lets the mover run the restore commands, in containers that run by now. Answers its warnings.
 * @throws HoldfastError `command-failed`, `command-timeout`, `instance-not-running` and others of the mover
 */
export async function feedCommands(
  { run, docker, mover }: { readonly run: JobRun; readonly docker: DockerEngine; readonly mover: Mover },
  commands: FeedTask['commands'],
): Promise<readonly string[]> {
  for (const { containerId, containerName } of commands) {
    run.step(`Waiting for ${containerName}`);
    await waitUntilReady(docker, { containerId, containerName }, run);
  }
  run.step('Running restore commands');
  mover.send({ type: 'commit' });
  return await mover.waitForSuccess(run);
}

async function waitUntilReady(
  { containers }: DockerEngine,
  { containerId, containerName }: { readonly containerId: string; readonly containerName: string },
  { signal }: JobRun,
): Promise<void> {
  const deadlineMs = performance.now() + healthyWithinMs;
  for (;;) {
    const { state } = await containers.inspect(containerId, { signal });
    if (state.status === 'running' && state.health !== 'starting' && state.health !== 'unhealthy') return;
    if (performance.now() > deadlineMs) {
      throw new HoldfastError(
        'instance-not-running',
        `${containerName} is ${state.health === 'none' ? state.status : state.health}: its restore command was not run.`,
        { hint: 'See why, and restore again.', context: { container: containerName } },
      );
    }
    await sleep(pollMs, { signal });
  }
}
