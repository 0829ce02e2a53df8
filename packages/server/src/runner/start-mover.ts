import type { DockerEngine, NewMount } from '@holdfast/docker';
import type { TaskSpec } from '@holdfast/protocol';
import { Mover, type OnMoverEvent } from './mover.ts';
import type { MoverProgram } from './mover-program.ts';

/** The engine that a task needs a container of, and what to mount there, to reach its parts; null where a child process reaches them. */
export type MoverMounts = { readonly docker: DockerEngine; readonly mounts: readonly NewMount[] } | null;

/** Starts the program for one task; how that went shows by the mover it returns. */
export type StartMover = (task: TaskSpec, onEvent: OnMoverEvent, mounts: MoverMounts) => Mover;

export interface StartMoverOptions {
  /** Undefined where every mover is a container: for a server that is one itself. */
  readonly inProcess: (() => MoverProgram) | undefined;
  /** In the server's own engine, where the task needs none of another one. */
  readonly inContainer: (task: TaskSpec, mounts: MoverMounts) => MoverProgram;
}

/** Movers get their task on standard input, so that its secrets stand in no file, argument or environment. */
export function createStartMover({ inProcess, inContainer }: StartMoverOptions): StartMover {
  return (task, onEvent, mounts) => {
    const isProcess = mounts === null && inProcess !== undefined;
    return new Mover(isProcess ? inProcess() : inContainer(task, mounts), task, onEvent);
  };
}
