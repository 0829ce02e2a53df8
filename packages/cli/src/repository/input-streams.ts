import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { addAbortSignal, type Readable } from 'node:stream';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { CliContext } from '../context.ts';
import { isInteractive } from '../context.ts';

/** Standard input to its end. @throws HoldfastError `usage-invalid` when a person would have to type it */
export function standardInput(context: CliContext): Readable {
  if (isInteractive(context)) {
    throw new HoldfastError('usage-invalid', 'Standard input is a terminal.', {
      hint: 'Give it a pipe or a file.',
    });
  }
  return addAbortSignal(context.interrupts.signal, context.input);
}

/**
 * What a command writes to its standard output; its standard error goes to ours.
 * @throws HoldfastError `source-unreadable` at its end, when it could not be started or ended with another status than 0
 */
export async function* commandOutput(
  context: CliContext,
  [program = '', ...words]: readonly string[],
): AsyncGenerator<Buffer, void> {
  const child = spawn(program, words, { cwd: context.folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  ended.catch(() => {});
  try {
    yield* addAbortSignal(context.interrupts.signal, child.stdout);
    const [status, signal] = await ended;
    if (status !== 0)
      throw failedCommand(program, signal === null ? `ended with ${status}` : `died of ${signal}`);
  } catch (error) {
    if (systemErrorCode(error) === undefined || context.interrupts.signal.aborted) throw error;
    throw failedCommand(program, `could not be started: the system said ${systemErrorCode(error)}`, error);
  } finally {
    if (child.exitCode === null) child.kill();
  }
}

function failedCommand(program: string, what: string, cause?: unknown): HoldfastError {
  return new HoldfastError('source-unreadable', `The command ${program} ${what}; nothing was saved.`, {
    hint: 'Check the command.',
    ...(cause === undefined ? {} : { cause }),
  });
}
