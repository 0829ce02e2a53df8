import {
  type Abortable,
  HoldfastError,
  isHoldfastError,
  isSameProcess,
  type ProcessIdentity,
  sleep,
} from '@holdfast/base';
import { type ContainerStatus, type DockerEngine, removeIfThere } from '@holdfast/docker';
import type { TaskId } from '@holdfast/protocol';
import { moverFilter } from './mover-labels.ts';
import { killProcess } from './mover-process.ts';

/** Movers of servers that are gone, whatever form they have. */
export interface LeftMovers {
  /** Whether the task's mover still runs. A container of it that does not run is removed. */
  isRunning(mover: LeftMover, options?: Abortable): Promise<boolean>;
  /**
   * Kills it and waits until it is gone.
   * @throws HoldfastError `mover-lost` when it neither ends nor can be killed
   */
  kill(mover: LeftMover, options?: Abortable): Promise<void>;
}

export interface LeftMover {
  readonly taskId: TaskId;
  /** Null for one that did not say `started`. */
  readonly identity: ProcessIdentity | null;
}

const pollMs = 200;
const killTimeoutMs = 60_000;

/**
 * A process is known by its pid, boot and start; a container by its labels. Where the server is no container, a mover's
 * container shares the server's process numbers, so that a Docker Engine which does not answer hides none that runs.
 */
export interface LeftMoversOptions {
  readonly isInContainer: boolean;
  /** Every engine that may have one: those that answer, where the server is no container. */
  readonly engines: () => Promise<readonly DockerEngine[]>;
}

export function createLeftMovers(place: LeftMoversOptions): LeftMovers {
  return { isRunning, kill };

  async function isRunning({ taskId, identity }: LeftMover, options: Abortable = {}): Promise<boolean> {
    const isProcess = !place.isInContainer && identity !== null && isSameProcess(identity);
    const containers = await containersOf(taskId, options);
    return isProcess || containers.length > 0;
  }

  async function kill(mover: LeftMover, options: Abortable = {}): Promise<void> {
    const deadlineMs = performance.now() + killTimeoutMs;
    for (const { docker, id } of await containersOf(mover.taskId, options))
      await removeIfThere(docker.containers, id);
    if (!place.isInContainer && mover.identity !== null) await killProcess(mover.identity, options);
    while (await isRunning(mover, options)) {
      if (performance.now() > deadlineMs) throw cannotEnd(mover);
      await sleep(pollMs, options);
    }
  }

  /** Those that run. */
  async function containersOf(taskId: TaskId, options: Abortable): Promise<readonly MoverContainer[]> {
    const found = await Promise.all(
      (await place.engines()).map(async (docker) => await containersIn(docker, taskId, options)),
    );
    return found.flat();
  }

  async function containersIn(
    docker: DockerEngine,
    taskId: TaskId,
    { signal }: Abortable,
  ): Promise<readonly MoverContainer[]> {
    try {
      const found = await docker.containers.list({ labels: moverFilter(taskId), signal });
      const running = found.filter(({ status }) => atWork.has(status));
      for (const { id, status } of found) if (!atWork.has(status)) await removeIfThere(docker.containers, id);
      return running.map(({ id }) => ({ docker, id }));
    } catch (error) {
      if (place.isInContainer || !isHoldfastError(error, 'docker-unreachable')) throw error;
      return [];
    }
  }
}

interface MoverContainer {
  readonly docker: DockerEngine;
  readonly id: string;
}

const atWork: ReadonlySet<ContainerStatus> = new Set(['running', 'paused', 'removing']);

function cannotEnd({ taskId }: LeftMover): HoldfastError {
  return new HoldfastError('mover-lost', `The container of the mover of ${taskId} cannot be ended.`, {
    hint: 'See what it waits for (a disk, a network share), end it, and start the server again.',
    context: { taskId },
  });
}
