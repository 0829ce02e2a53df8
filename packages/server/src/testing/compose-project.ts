import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { composeLabels, connectDocker } from '@holdfast/docker';
import { temporaryDirectory } from './temporary-directory.ts';

/** What stands on the engine for a test, as Compose would have put it there; removed at the end. */
export interface ComposeProject extends AsyncDisposable {
  readonly name: string;
  /** The project's folder, with a folder `conf` that the component `web` mounts. */
  readonly folder: string;
  readonly volume: string;
  /** As `docker compose down`: the volume stays. */
  down(): Promise<void>;
}

/**
 * A project with the components `web` (a named volume, a folder of the project, `/etc/localtime`) and `idle` (nothing),
 * whose containers are created and not started. Needs `DOCKER_HOST` and `HOLDFAST_TEST_IMAGE`.
 */
export async function upComposeProject(host: string, image: string): Promise<ComposeProject> {
  await using stack = new AsyncDisposableStack();
  const docker = await connectDocker({ host });
  const name = `hfserver${randomBytes(4).toString('hex')}`;
  const { path: folder } = stack.use(await temporaryDirectory());
  await mkdir(join(folder, 'conf'));
  await writeFile(join(folder, 'conf/site'), 'x');
  const volume = `${name}_data`;
  const ofProject = { [composeLabels.project]: name };
  await docker.volumes.create({ name: volume, driver: 'local', labels: ofProject, options: {} });
  stack.defer(async () => await docker.volumes.remove(volume));

  const containers: string[] = [];
  const down = async (): Promise<void> => {
    for (const id of containers.splice(0)) await docker.containers.remove(id);
  };
  stack.defer(down);
  const create = async (
    component: string,
    mounts: Parameters<typeof docker.containers.create>[0]['mounts'],
  ) => {
    const labels = {
      ...ofProject,
      [composeLabels.service]: component,
      [composeLabels.workingDir]: folder,
      [composeLabels.oneOff]: 'False',
    };
    const container = { name: `${name}-${component}-1`, image, command: ['sleep', '1000'], labels, mounts };
    containers.push(await docker.containers.create(container));
  };
  const bind = (source: string, destination: string) =>
    ({ type: 'bind', source, destination, readOnly: true }) as const;
  await create('web', [
    { type: 'volume', volumeName: volume, destination: '/data', readOnly: false, copyImageContent: true },
    bind(join(folder, 'conf'), '/conf'),
    bind('/etc/localtime', '/etc/localtime'),
  ]);
  await create('idle', []);

  const made = stack.move();
  return { name, folder, volume, down, [Symbol.asyncDispose]: async () => await made.disposeAsync() };
}
