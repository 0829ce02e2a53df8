import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskSpec } from '@holdfast/protocol';
import type { Ids } from '../catalog/ids.ts';
import { Mover, type OnMoverEvent } from './mover.ts';
import type { MoverProgram } from './mover-program.ts';

export interface LoneMoverOptions {
  readonly ids: Ids;
  readonly spawnMover: () => MoverProgram;
  /** For event files; whatever is there may be removed when no mover runs. */
  readonly folder: string;
}

/** What every task spec begins with. */
export type LoneTaskBase = Pick<
  TaskSpec,
  'version' | 'taskId' | 'jobId' | 'epoch' | 'eventsPath' | 'scratchPath'
>;

/** A mover and its folder. Disposing ends the one and removes the other. */
export interface LoneMover extends AsyncDisposable {
  readonly mover: Mover;
}

const endGraceMs = 10_000;

/** A mover without a job: nobody has to find it again, for one whose server is gone ends by itself. */
export async function startLoneMover(
  { ids, spawnMover, folder }: LoneMoverOptions,
  spec: (base: LoneTaskBase) => TaskSpec,
  onEvent: OnMoverEvent,
): Promise<LoneMover> {
  await using starting = new AsyncDisposableStack();
  const taskId = ids.task();
  const taskFolder = join(folder, taskId);
  const scratchPath = join(taskFolder, 'scratch');
  await mkdir(scratchPath, { mode: 0o700, recursive: true });
  starting.defer(async () => await rm(taskFolder, { recursive: true, force: true }));
  const eventsPath = join(taskFolder, 'events.jsonl');
  const base: LoneTaskBase = { version: 1, taskId, jobId: ids.job(), epoch: 1, eventsPath, scratchPath };
  const mover = new Mover(spawnMover(), spec(base), onEvent);
  starting.defer(async () => await mover.end(endGraceMs));
  const started = starting.move();
  return { mover, [Symbol.asyncDispose]: async () => await started.disposeAsync() };
}
