import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import { type Command, CommanderError } from 'commander';
import { Cli } from './command/cli.ts';
import type { CliContext } from './context.ts';
import { failureOf, writeFailure } from './failure.ts';
import { loadProgram } from './load-program.ts';

/**
 * Runs one command line. Never throws: a failure is told on standard error and by the exit status.
 *
 * @param words the command line after the program's name
 */
export async function runCli(words: readonly string[], context: CliContext): Promise<ExitStatus> {
  const cli = new Cli(context);
  try {
    const program = await loadProgram(words, cli);
    await program.parseAsync(wordsForCommander(words, program), { from: 'user' });
    return cli.status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitStatus.done;
    return writeThrown(context, error);
  }
}

/** Tells what was thrown on standard error; returns the exit status. */
export function writeThrown(context: CliContext, error: unknown): ExitStatus {
  const failure = failureOf(error);
  writeFailure(context, failure);
  if (context.env.HOLDFAST_DEBUG === '1') writeStack(context, error);
  return failure.status;
}

/** `backup create` becomes `backup:create`; no words at all become `--help`. */
function wordsForCommander(words: readonly string[], program: Command): string[] {
  if (words.length === 0) return ['--help'];
  const [first = '', ...rest] = words;
  if (first === 'help' && rest.length > 0) return ['help', ...wordsForCommander(rest, program)];
  const verbs = program.commands
    .map((command) => command.name())
    .filter((name) => name.startsWith(`${first}:`));
  if (verbs.length === 0) return [...words];
  const [second, ...others] = rest;
  if (second === undefined || second.startsWith('-')) {
    throw new HoldfastError('usage-invalid', `"${first}" needs a verb.`, {
      hint: `There are: ${verbs.join(', ')}.`,
    });
  }
  return [`${first}:${second}`, ...others];
}

function writeStack({ errors }: CliContext, error: unknown): void {
  for (let each = error; each instanceof Error; each = each.cause) errors.line(each.stack ?? each.message);
}
