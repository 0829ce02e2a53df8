import { spawn } from 'node:child_process';
import { HoldfastError } from '@holdfast/base';
import { smallHeap } from '@holdfast/docker';
import type { MoverExit, MoverProgram } from './mover-program.ts';
import { ownVariables } from './own-variables.ts';

export interface MoverCommand {
  /** Absolute path of the Node that runs it. */
  readonly node: string;
  /** Absolute path of the mover's `main.ts`. */
  readonly main: string;
}

/**
 * A mover as a child process. It gets a session of its own, so that what ends the server (a terminal that closes, an
 * interrupt from the keyboard) does not reach it.
 */
export function spawnMover({ node, main }: MoverCommand): MoverProgram {
  const child = spawn(node, [...smallHeap, main], {
    cwd: '/',
    detached: true,
    env: ownVariables(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exit = Promise.withResolvers<MoverExit>();
  child.once('exit', (status, signal) => exit.resolve({ status, signal }));
  child.once('error', (cause) => {
    if (child.pid !== undefined) return;
    exit.reject(new HoldfastError('mover-failed', 'The mover could not be started.', { cause }));
  });
  const { stdin, stdout, stderr } = child;
  return { stdin, stdout, stderr, ended: exit.promise, kill: () => void child.kill('SIGKILL') };
}
