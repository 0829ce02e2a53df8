import { setTimeout as delay } from 'node:timers/promises';
import { isJobOver, type Job } from '@holdfast/protocol';
import type { ComposeProject } from './compose.ts';
import type { HoldfastContainer } from './holdfast-container.ts';
import { eventually, run } from './process.ts';

/** Of what is over in a moment, not everything is seen in time. */
const attempts = 5;
const soonPausedMs = 5_000;
const stillPausedMs = 500;
const frozenSteps = ['Pausing the containers', 'Setting aside what changed'];

/** Begins a backup and holds it inside its freeze: its mover does not answer. */
export async function stayFrozen(holdfast: HoldfastContainer, project: ComposeProject): Promise<Job> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const job = await holdInFreeze(holdfast, project);
    if (job !== undefined) return job;
  }
  throw new Error(`${attempts} backups were over before they could be held.`);
}

async function holdInFreeze(holdfast: HoldfastContainer, project: ComposeProject): Promise<Job | undefined> {
  const client = await holdfast.client();
  const params = { environment: project.name };
  const { job } = await client.call('backup.create', { params, body: {} });
  const seen = await eventually('the pause comes next', async () => {
    const now = await client.call('job.get', { params: { job: job.id } });
    return frozenSteps.includes(now.step) || isJobOver(now.state) ? now : undefined;
  });
  if (isJobOver(seen.state)) return undefined;
  const [mover = ''] = await holdfast.ownContainers('mover');
  await run('docker', ['kill', '--signal', 'STOP', mover]);
  if (await staysPaused(project)) return job;
  await run('docker', ['kill', '--signal', 'CONT', mover]);
  await holdfast.endOf(job);
  return undefined;
}

/** Not so where the mover had told that it was done before it was stopped. */
async function staysPaused(project: ComposeProject): Promise<boolean> {
  const isPaused = async () => (await project.containerState('app')) === 'paused';
  try {
    await eventually('the app is paused', isPaused, soonPausedMs);
  } catch {
    return false;
  }
  await delay(stillPausedMs);
  return await isPaused();
}
