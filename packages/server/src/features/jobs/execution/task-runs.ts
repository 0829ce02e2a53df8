import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Abortable, sleep } from '@holdfast/base';
import type { JobId, MoverEvent, TaskSpec } from '@holdfast/protocol';
import type { Ids } from '../../../catalog/ids.ts';
import type { LeftMovers } from '../../../runner/left-movers.ts';
import { type Milestones, readMilestones } from '../../../runner/milestones.ts';
import type { Mover } from '../../../runner/mover.ts';
import type { MoverMounts, StartMover } from '../../../runner/start-mover.ts';
import type { TaskRecord, TaskStore } from '../task-store.ts';
import type { JobRun } from './job-handler.ts';

/** What every task spec begins with. */
export type TaskBase = Pick<
  TaskSpec,
  'version' | 'taskId' | 'jobId' | 'epoch' | 'eventsPath' | 'scratchPath'
>;

/** How long a mover may take to end by itself before it is killed. */
const endGraceMs = 10_000;
/** How long a mover that lost its server may take to abort, or to say that it was told to commit. */
const orphanGraceMs = 20_000;
const pollMs = 200;

/** Tasks of jobs: started with a row and an event file each, and found again by a server that comes back. */
export interface TaskRuns {
  /**
   * Starts a mover and waits until it has said who it is: from then on it can be found again. `mounts` are those that it
   * needs to reach its parts, null where it needs none.
   * @throws what `Mover.waitFor` throws; nothing runs any more then
   */
  start<Spec extends TaskSpec>(
    run: JobRun,
    kind: Spec['kind'],
    spec: (base: TaskBase) => Spec,
    mounts?: MoverMounts,
  ): Promise<Mover>;
  /** Ends a mover, by force if need be, and notes that it did. */
  end(mover: Mover): Promise<void>;
  /**
   * The job's tasks of servers that are gone, oldest first, each with how far it came; no mover of them runs any more
   * when this resolves. One that was told to commit is waited for, any other is ended.
   * @throws HoldfastError `mover-lost` when one can neither be reached nor ended
   */
  settle(jobId: JobId, options: Abortable): Promise<readonly SettledTask[]>;
  /** Removes the event files of a job that is over, and what its movers left behind. */
  discard(jobId: JobId): Promise<void>;
}

export interface SettledTask {
  readonly task: TaskRecord;
  readonly milestones: Milestones;
}

export interface TaskRunsOptions {
  readonly tasks: TaskStore;
  readonly ids: Ids;
  readonly startMover: StartMover;
  readonly leftMovers: LeftMovers;
  /** An existing folder of mode 0700 for event files. */
  readonly eventsFolder: string;
}

export function createTaskRuns(options: TaskRunsOptions): TaskRuns {
  const { tasks, ids, startMover, leftMovers, eventsFolder } = options;
  return {
    start: async (run, kind, spec, mounts = null) => {
      const taskId = ids.task();
      const { jobId, epoch } = run.lease;
      const eventsPath = join(eventsFolder, `${taskId}.jsonl`);
      await tasks.create({ id: taskId, jobId, epoch, kind, eventsPath });
      const scratchPath = scratchPathOf(eventsPath);
      await mkdir(scratchPath, { mode: 0o700 });
      const base: TaskBase = { version: 1, taskId, jobId, epoch, eventsPath, scratchPath };
      const mover = startMover(spec(base), reportTo(run), mounts);
      try {
        const started = await mover.waitFor('started', { signal: run.signal });
        await tasks.markStarted(taskId, started);
        return mover;
      } catch (error) {
        await mover.end(endGraceMs);
        throw error;
      }
    },

    end: async (mover) => {
      await mover.end(endGraceMs);
      await tasks.markFinished(mover.taskId);
    },

    settle: async (jobId, { signal }) => {
      const settled: SettledTask[] = [];
      for (const task of await tasks.listOf(jobId)) {
        settled.push({ task, milestones: await settleTask(task, leftMovers, { signal }) });
        if (task.finishedAtMs === null) await tasks.markFinished(task.id);
      }
      return settled;
    },

    discard: async (jobId) => {
      for (const { eventsPath } of await tasks.listOf(jobId)) {
        await rm(scratchPathOf(eventsPath), { recursive: true, force: true });
        await rm(eventsPath, { force: true });
      }
    },
  };
}

function scratchPathOf(eventsPath: string): string {
  return `${eventsPath.slice(0, -'.jsonl'.length)}.scratch`;
}

function reportTo(run: JobRun): (event: MoverEvent) => void {
  return (event) => {
    if (event.type === 'progress') run.progress(event.progress);
    if (event.type === 'log') run.log(event.line.level, event.line.message);
  };
}

/** The end of its input tells a mover that its server is gone: most end by themselves while this looks. */
async function settleTask(
  task: TaskRecord,
  leftMovers: LeftMovers,
  { signal }: Abortable,
): Promise<Milestones> {
  const deadlineMs = performance.now() + orphanGraceMs;
  for (;;) {
    const milestones = await readMilestones(task.eventsPath, { signal });
    const identity = milestones.started ?? task.process;
    // A process without a first event never began: it had no server to say `go`.
    const mover = { taskId: task.id, identity };
    if (!(await leftMovers.isRunning(mover, { signal }))) break;
    const isOverdue = milestones.committed === undefined && performance.now() > deadlineMs;
    if (isOverdue) await leftMovers.kill(mover, { signal });
    else await sleep(pollMs, { signal });
  }
  return await readMilestones(task.eventsPath, { signal });
}
