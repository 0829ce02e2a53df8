import { type Command, Help, type Option } from 'commander';
import type { Cli } from './command/cli.ts';
import { CliCommand } from './command/cli-command.ts';
import { programVersion } from './program-version.ts';

const widestHelp = 100;

const footer = `
A blank does for the colon: holdfast backup create. For one command: holdfast help backup:create.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 done with warnings, 4 not found, 5 not allowed,
6 not possible in this state, 130 interrupted.

Environment: HOLDFAST_URL, HOLDFAST_TOKEN, HOLDFAST_DATA; HOLDFAST_DEBUG=1 shows where an error comes from.`;

/** The command line without its commands; writes only to the context's outputs and never ends the process. */
export function emptyProgram(cli: Cli): CliCommand {
  const { output } = cli.context;
  const program = new CliCommand('holdfast');
  program
    .description(
      "Backup and restore for Docker Compose apps and data stores, in restic's open repository format.",
    )
    .usage('<noun>:<verb> [options]')
    .version(programVersion, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.text(text),
      writeErr: (text) => output.text(text),
      outputError: () => {},
      getOutHelpWidth: () => Math.min(output.columns, widestHelp),
      getErrHelpWidth: () => Math.min(output.columns, widestHelp),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ visibleOptions: groupedLast })
    .addHelpText('after', footer);
  return program;
}

/** A command's own options first, then those in groups of their own. */
function groupedLast(command: Command): Option[] {
  const options = new Help().visibleOptions(command);
  const isGrouped = (option: Option) => option.helpGroupHeading !== undefined;
  return [...options.filter((option) => !isGrouped(option)), ...options.filter(isGrouped)];
}
