import { existsSync } from 'node:fs';
import type { Cli } from './command/cli.ts';
import type { CliCommand } from './command/cli-command.ts';
import { emptyProgram } from './empty-program.ts';

/**
 * The program with the one command that the words ask for or, where that is not plain, with all of them: loading those
 * takes longer than most commands do.
 */
export async function loadProgram(words: readonly string[], cli: Cli): Promise<CliCommand> {
  const program = emptyProgram(cli);
  if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) return program;
  const create = await loadCommand(words);
  if (create !== undefined) {
    program.addCommand(create(cli).copyInheritedSettings(program));
    return program;
  }
  const { createProgram } = await import('./program.ts');
  return createProgram(cli);
}

/** What `commands/NOUN/VERB.ts` exports as `nounVerbCommand`; undefined where there is nothing of the kind. */
async function loadCommand(words: readonly string[]): Promise<((cli: Cli) => CliCommand) | undefined> {
  const [, noun = '', verb = ''] = /^([a-z]+)[: ]([a-z]+)(?: |$)/.exec(words.slice(0, 2).join(' ')) ?? [];
  if (verb === '') return undefined;
  const file = new URL(`./commands/${noun}/${verb}.ts`, import.meta.url);
  if (!existsSync(file)) return undefined;
  const loaded: Readonly<Record<string, unknown>> = await import(file.href);
  const create = loaded[`${noun}${verb.charAt(0).toUpperCase()}${verb.slice(1)}Command`];
  return typeof create === 'function' ? (cli) => create(cli) : undefined;
}
