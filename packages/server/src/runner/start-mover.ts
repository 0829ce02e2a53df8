import { spawn } from 'node:child_process';
import type { TaskSpec } from '@holdfast/protocol';
import { Mover, type OnMoverEvent } from './mover.ts';

/** Starts the process for one task; how that went shows by the mover it returns. */
export type StartMover = (task: TaskSpec, onEvent: OnMoverEvent) => Mover;

export interface MoverCommand {
  /** Absolute path of the Node that runs it. */
  readonly node: string;
  /** Absolute path of the mover's `main.ts`. */
  readonly main: string;
}

/** A small heap: with the usual one, what a backup has under way makes the process take twice the memory, for no speed. */
const nodeFlags = ['--max-semi-space-size=4', '--heap-growing-percent=30'];

/** What a mover may see of the server's environment: nothing that holds a secret. */
const passedVariables = ['PATH', 'TMPDIR', 'NODE_COMPILE_CACHE'];

/**
 * Movers get a session of their own, so that what ends the server (a terminal that closes, an interrupt from the
 * keyboard) does not reach them, and their task on standard input, so that its secrets stand in no file, argument or
 * environment.
 */
export function createStartMover({ node, main }: MoverCommand): StartMover {
  return (task, onEvent) => {
    const child = spawn(node, [...nodeFlags, main], {
      cwd: '/',
      detached: true,
      env: { ...Object.fromEntries(passedVariables.map((name) => [name, process.env[name]])), TZ: 'UTC' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return new Mover(child, task, onEvent);
  };
}
