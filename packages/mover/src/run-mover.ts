import type { Writable } from 'node:stream';
import {
  type Clock,
  type ExitStatus,
  exitStatus,
  exitStatusOfKind,
  type HoldfastError,
  type ProcessIdentity,
  toHoldfastError,
} from '@holdfast/base';
import type { TaskOutcome, TaskSpec } from '@holdfast/protocol';
import { runAdoptTask } from './adopt-task.ts';
import { runBackupTask } from './backup-task.ts';
import { runCodeTask } from './code-task.ts';
import { runCompareTask } from './compare-task.ts';
import { EventLog } from './event-log.ts';
import { runFeedTask } from './feed-task.ts';
import { runForgetTask } from './forget-task.ts';
import { runImportTask } from './import-task.ts';
import { runInspectTask } from './inspect-task.ts';
import { runPruneTask } from './prune-task.ts';
import { runRebuildTask } from './rebuild-task.ts';
import { runRestoreTask } from './restore-task.ts';
import { runReviseTask } from './revise-task.ts';
import type { ServerChannel } from './server-channel.ts';
import { runSettleTask } from './settle-task.ts';
import { TaskContext } from './task-context.ts';
import { runUnpackTask } from './unpack-task.ts';
import { runVaultTask } from './vault-task.ts';

export interface MoverOptions {
  readonly channel: ServerChannel;
  /** Takes a copy of each event; whoever gives it has to handle its errors. */
  readonly output: Writable;
  readonly identity: ProcessIdentity;
  readonly clock: Clock;
}

/**
 * Runs one task from its spec to its result, and answers the exit status of the process. What went wrong is in the
 * result; only where there is no event file to write it to is the exit status all there is.
 *
 *     spec → started → (go) → the task's own events → result
 */
export async function runMover({ channel, output, identity, clock }: MoverOptions): Promise<ExitStatus> {
  try {
    const task = await channel.readTask();
    using events = new EventLog(task.eventsPath, output);
    const stamp = () => ({ taskId: task.taskId, epoch: task.epoch, timeMs: clock.now() });
    events.emit({ ...stamp(), type: 'started', ...identity });
    const context = new TaskContext({ task, events, channel, clock });
    const error = await failureOf(async () => await runTask(task, context));
    const { warnings } = context;
    const { outcome, status } = verdict(error, warnings);
    events.emit({
      ...stamp(),
      type: 'result',
      outcome,
      error: error?.toReport() ?? null,
      warnings: [...warnings],
    });
    return status;
  } catch (error) {
    return exitStatusOfKind(toHoldfastError(error).kind);
  }
}

async function runTask(task: TaskSpec, context: TaskContext): Promise<void> {
  switch (task.kind) {
    case 'backup':
      return await runBackupTask(task, context);
    case 'restore':
      return await runRestoreTask(task, context);
    case 'feed':
      return await runFeedTask(task, context);
    case 'import':
      return await runImportTask(task, context);
    case 'forget':
      return await runForgetTask(task, context);
    case 'revise':
      return await runReviseTask(task, context);
    case 'prune':
      return await runPruneTask(task, context);
    case 'inspect':
      return await runInspectTask(task, context);
    case 'code':
      return await runCodeTask(task, context);
    case 'compare':
      return await runCompareTask(task, context);
    case 'unpack':
      return await runUnpackTask(task, context);
    case 'settle':
      return await runSettleTask(task, context);
    case 'rebuild':
      return await runRebuildTask(task, context);
    case 'adopt':
      return await runAdoptTask(task, context);
    case 'vault':
      return await runVaultTask(task, context);
  }
}

async function failureOf(work: () => Promise<void>): Promise<HoldfastError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return toHoldfastError(error);
  }
}

function verdict(
  error: HoldfastError | undefined,
  warnings: readonly string[],
): { readonly outcome: TaskOutcome; readonly status: ExitStatus } {
  if (error !== undefined) {
    const outcome = error.code === 'interrupted' ? 'cancelled' : 'failed';
    return { outcome, status: exitStatusOfKind(error.kind) };
  }
  return warnings.length === 0
    ? { outcome: 'done', status: exitStatus.done }
    : { outcome: 'warnings', status: exitStatus.warnings };
}
