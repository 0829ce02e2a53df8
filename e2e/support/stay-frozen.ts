import type { Job } from '@holdfast/protocol';
import { type ComposeProject, docker } from './compose.ts';
import type { HoldfastContainer } from './holdfast-container.ts';
import { eventually } from './process.ts';

/** Begins a backup and holds it inside its freeze: its mover does not answer. */
export async function stayFrozen(holdfast: HoldfastContainer, project: ComposeProject): Promise<Job> {
  const client = await holdfast.client();
  const params = { environment: project.name };
  const { job } = await client.call('backup.create', { params, body: {} });
  await eventually('the pause comes next', async () => {
    const now = await client.call('job.get', { params: { job: job.id } });
    return now.step === 'Pausing the containers';
  });
  const [mover = ''] = await holdfast.ownContainers('mover');
  await docker('kill', '--signal', 'STOP', mover);
  const isPaused = async () => (await project.containerState('app')) === 'paused';
  await eventually('the app is paused', isPaused);
  return job;
}
