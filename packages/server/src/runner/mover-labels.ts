import { holdfastLabels } from '@holdfast/docker';
import type { TaskId, TaskSpec } from '@holdfast/protocol';

const kind = 'mover';
const taskLabel = 'holdfast.task';
const epochLabel = 'holdfast.epoch';

/** How a server that comes back finds the container of a task. */
export function moverLabels({ taskId, epoch }: TaskSpec): Readonly<Record<string, string>> {
  return { [holdfastLabels.internal]: kind, [taskLabel]: taskId, [epochLabel]: String(epoch) };
}

/** For the engine's list of containers. */
export function moverFilter(taskId: TaskId): readonly string[] {
  return [`${holdfastLabels.internal}=${kind}`, `${taskLabel}=${taskId}`];
}
