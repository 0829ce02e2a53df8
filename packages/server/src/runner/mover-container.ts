import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  commandInImage,
  type DockerEngine,
  type NewMount,
  pathOnMachine,
  runAttached,
} from '@holdfast/docker';
import type { TaskSpec } from '@holdfast/protocol';
import { moverLabels } from './mover-labels.ts';
import type { MoverProgram } from './mover-program.ts';
import type { ServerPlace } from './server-place.ts';
import type { MoverMounts } from './start-mover.ts';

/**
 * What reading and writing any file with owner, mode, times, attributes and device numbers takes, looking at which
 * files processes map (`SYS_PTRACE`), and going back to the usual priority while the environment stands still (`SYS_NICE`).
 */
const capabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'MKNOD',
  'SETFCAP',
  'SYS_NICE',
  'SYS_PTRACE',
];

export interface MoverContainerOptions {
  readonly place: ServerPlace;
  readonly task: TaskSpec;
  /** What the task's parts need; null where it has none, and any engine will do. */
  readonly mounts: MoverMounts;
}

/**
 * A mover in a container of its own. It shares the machine's process numbers and its host name: which files are mapped is
 * seen in `/proc`, and its lock in a repository is one that everybody on the machine can tell to be dead.
 */
export function runMoverContainer({ place, task, mounts }: MoverContainerOptions): MoverProgram {
  const connect = async (): Promise<DockerEngine> => mounts?.docker ?? (await place.connect());
  const run = runAttached({
    connect,
    container: async () => {
      const docker = await connect();
      const certificates = needsNetwork(task) ? process.env[trusted] : undefined;
      return {
        image: await place.requireImage(docker),
        command: commandInImage('packages/mover/src/main.ts'),
        environment: [
          'TZ=UTC',
          'HOME=/tmp',
          ...(certificates === undefined ? [] : [`${trusted}=${certificates}`]),
        ],
        labels: moverLabels(task),
        mounts: [
          ...(mounts?.mounts ?? []),
          ...(await storageMounts(place, task)),
          ...(await socketMounts(place, task)),
          ...(await certificateMounts(place, certificates)),
        ],
        ...(needsNetwork(task) ? { networkMode: await place.networkOf(docker) } : {}),
        sandbox: { capabilities, sharesPids: true, hostName: await hostNameOf(docker) },
      };
    },
  });
  const ended = run.ended.then((status) => ({ status, signal: null }));
  return { stdin: run.stdin, stdout: run.stdout, stderr: run.stderr, ended, kill: run.kill };
}

/** The task's own folder, and that of a vault on this machine: where the server has them. */
async function storageMounts(place: ServerPlace, task: TaskSpec): Promise<readonly NewMount[]> {
  const paths = new Set([dirname(task.eventsPath)]);
  if (task.kind === 'import' && task.source.kind === 'file') paths.add(dirname(task.source.path));
  if ('repository' in task) {
    const { location, cacheDirectory } = task.repository;
    if (isPath(location)) paths.add(dirname(location));
    else if (cacheDirectory !== undefined) paths.add(cacheDirectory);
  }
  return await Promise.all([...paths].map(async (path) => await place.share(path)));
}

/** For commands that the mover runs in other containers, and for images. */
async function socketMounts(place: ServerPlace, task: TaskSpec): Promise<readonly NewMount[]> {
  const commands = 'commands' in task ? task.commands : [];
  const images = 'images' in task ? task.images : [];
  const sockets = new Set(
    [...commands, ...images].flatMap(({ dockerHost }) =>
      dockerHost.startsWith(unixScheme) ? [dockerHost.slice(unixScheme.length)] : [],
    ),
  );
  return await Promise.all([...sockets].map(async (path) => await place.shareAsIs(path)));
}

const unixScheme = 'unix://';

/** Of whom the server trusts beside the usual ones: a file. */
const trusted = 'NODE_EXTRA_CA_CERTS';

/** One that is in no folder that the server's own container shares is one of its image, and of the mover's. */
async function certificateMounts(place: ServerPlace, path: string | undefined): Promise<readonly NewMount[]> {
  if (path === undefined || !existsSync(path)) return [];
  const own = await place.own();
  const source = own === undefined ? path : pathOnMachine(own, path);
  return source === undefined ? [] : [{ type: 'bind', source, destination: path, readOnly: true }];
}

/** For a bucket, a download, or an engine that is called by a port. */
function needsNetwork(task: TaskSpec): boolean {
  const isLocal = !('repository' in task) || isPath(task.repository.location);
  const downloads = task.kind === 'import' && task.source.kind === 'url';
  const callsEngine = 'commands' in task && task.commands.some(({ dockerHost }) => isPort(dockerHost));
  return !isLocal || downloads || callsEngine;
}

function isPort(dockerHost: string): boolean {
  return !dockerHost.startsWith(unixScheme);
}

function isPath(location: string): boolean {
  return location.startsWith('/');
}

async function hostNameOf(docker: DockerEngine): Promise<string> {
  return (await docker.info()).hostName;
}
