import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Abortable, sleep } from '@holdfast/base';
import { holdfastLabels } from '../discovery/labels.ts';
import type { DockerEngine } from '../engine-port/docker-engine.ts';
import { commandInImage } from '../image/holdfast-image.ts';
import { removeIfThere, runAttached } from '../run-attached/run-attached.ts';

/** A guard's program, whether it is a child process or in a container of its own. */
export interface GuardProgram {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Of the Docker Engine, as the guard sees it. */
  readonly host: string;
  /** Resolves when nothing of it is left; rejects where it could not be started. */
  readonly ended: Promise<void>;
  kill(): void;
}

/** What a guard needs to be a container. */
export interface GuardContainer {
  readonly docker: Pick<DockerEngine, 'containers'>;
  /** An image of Holdfast, by name or id. */
  readonly image: string;
  /** The engine's socket on its machine. */
  readonly socketPath: string;
  /** Names the freeze among all of them, for `guardContainersGone`. */
  readonly freezeId: string;
}

const freezeLabel = 'holdfast.freeze';

const pollMs = 250;
const mainInProject = 'packages/docker/src/freeze/guard-main.ts';
/** Where the guard's container has the engine's socket. */
const socketInContainer = '/var/run/docker.sock';
export const guardSocket = `unix://${socketInContainer}`;

/** It has a session of its own: no signal to this process's group reaches it. */
export function spawnGuard(host: string): GuardProgram {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./guard-main.ts', import.meta.url))], {
    detached: true,
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = Promise.withResolvers<void>();
  child.once('error', (error) => ended.reject(error));
  child.once('close', () => ended.resolve());
  const { stdin, stdout } = child;
  return { stdin, stdout, host, ended: ended.promise, kill: () => void child.kill('SIGKILL') };
}

/**
 * The engine starts it again whenever it ends, itself being restarted included: it is over when it has removed its own
 * container. So it outlives this process, this process's container, and the engine.
 */
export function runGuardContainer({ docker, image, socketPath, freezeId }: GuardContainer): GuardProgram {
  const { stdin, stdout, stderr, ended, kill } = runAttached({
    connect: async () => docker,
    container: () => ({
      image,
      command: commandInImage(mainInProject, '--container'),
      labels: { [holdfastLabels.internal]: 'guard', [freezeLabel]: freezeId },
      mounts: [{ type: 'bind', source: socketPath, destination: socketInContainer, readOnly: false }],
      restartPolicy: { name: 'always', maximumRetryCount: 0 },
      sandbox: { capabilities: [], sharesPids: false, keepsFiles: true },
    }),
  });
  stderr.resume();
  return { stdin, stdout, host: guardSocket, ended: ended.then(() => {}), kill };
}

/**
 * Waits until no guard of a freeze is left whose server is gone: it would thaw what the next freeze pauses. One that never
 * ran is removed.
 */
export async function guardContainersGone(
  { containers }: Pick<DockerEngine, 'containers'>,
  freezeId: string,
  options: Abortable = {},
): Promise<void> {
  const labels = [`${holdfastLabels.internal}=guard`, `${freezeLabel}=${freezeId}`];
  for (;;) {
    const found = await containers.list({ labels, ...options });
    if (found.length === 0) return;
    for (const { id, status } of found) if (status === 'created') await removeIfThere(containers, id);
    await sleep(pollMs, options);
  }
}
