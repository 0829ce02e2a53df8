import { settleStaged } from '@holdfast/engine';
import type { SettleTask } from '@holdfast/protocol';
import type { TaskContext } from './task-context.ts';

/** Needs no vault: what the targets are to be, or were, lies with them. */
export async function runSettleTask(task: SettleTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  context.finishAlone();
  context.committed(null, null);
  const settled = await settleStaged(
    task.parts.map(({ path }) => path),
    task.direction,
  );
  const what = task.direction === 'forward' ? 'completed' : 'brought back to what it was';
  for (const { name, path } of task.parts) if (settled.includes(path)) context.info(`${name}: ${what}`);
}
