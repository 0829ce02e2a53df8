import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ComposeProject, docker } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { HoldfastContainer } from './support/holdfast-container.ts';
import { eventually, mustRun } from './support/process.ts';

/** Of all threads of a process: niceness, and how they stand in line for storage. */
async function prioritiesOf(pid: number): Promise<readonly string[]> {
  const threads = readdirSync(`/proc/${pid}/task`);
  const storage = (await mustRun('ionice', ['-p', ...threads])).trim().split('\n');
  return threads.map((thread, index) => {
    const afterName = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ').at(-1) ?? '';
    return `${afterName.split(' ')[16]}, ${storage[index]}`;
  });
}

it.each(['live', 'consistent'])(
  'a %s backup stands behind the app, for processor and storage',
  async (mode) => {
    await using app = await ComposeProject.up('small', `polite-${mode}`);
    await app.sh('app', 'head -c 8000000 /dev/urandom > /files/much');
    await using holdfast = await Holdfast.start();
    // So that there is time to look.
    await holdfast.mustRun(['vault:update', 'default', '--limit-upload', '500K']);
    const words = mode === 'live' ? ['--live'] : [];
    await holdfast.createBackup(app.name, '--no-wait', ...words);
    const [mover = 0] = await eventually('its mover works', () => {
      const pids = holdfast.moverPids();
      return pids.length > 0 && pids;
    });
    await eventually('it stands behind', async () => {
      const found = new Set(await prioritiesOf(mover));
      return found.size === 1 && found.has('15, best-effort: prio 7');
    });
    const { jobs } = await holdfast.client().call('job.list', { query: {} });
    await holdfast.mustRun(['job:cancel', jobs[0]?.id ?? '']);
    expect(await prioritiesOf(holdfast.serverPid)).toContain('0, none: prio 0');
  },
);

it('a mover in a container does so too, and may come back for the time of the freeze', async () => {
  await using app = await ComposeProject.up('small', 'polite-container');
  await app.sh('app', 'head -c 8000000 /dev/urandom > /files/much');
  await using holdfast = await HoldfastContainer.start();
  await holdfast.mustRun(['vault:update', 'default', '--limit-upload', '500K']);
  await holdfast.createBackup(app.name, '--no-wait');
  const [container = ''] = await eventually('its mover works', async () => {
    const containers = await holdfast.ownContainers('mover');
    return containers.length > 0 && containers;
  });
  const told = await eventually('it runs', async () => {
    const format = '{{.State.Pid}} {{.HostConfig.CapAdd}}';
    const line = await docker('inspect', '--format', format, container);
    return !line.startsWith('0 ') && line;
  });
  expect(told).toContain('SYS_NICE');
  await eventually('it stands behind', async () => {
    const found = new Set(await prioritiesOf(Number(told.split(' ')[0])));
    return found.size === 1 && found.has('15, best-effort: prio 7');
  });
  const { jobs } = await (await holdfast.client()).call('job.list', { query: {} });
  await holdfast.mustRun(['job:cancel', jobs[0]?.id ?? '']);
});
