import { HoldfastError } from '@holdfast/base';
import { type Command, Help, type Option } from 'commander';
import type { Cli } from './command/cli.ts';
import { CliCommand } from './command/cli-command.ts';
import { backupCreateCommand } from './commands/backup/create.ts';
import { backupDeleteCommand } from './commands/backup/delete.ts';
import { backupGetCommand } from './commands/backup/get.ts';
import { backupListCommand } from './commands/backup/list.ts';
import { backupLogCommand } from './commands/backup/log.ts';
import { backupRestoreCommand } from './commands/backup/restore.ts';
import { environmentGetCommand } from './commands/environment/get.ts';
import { environmentListCommand } from './commands/environment/list.ts';
import { jobCancelCommand } from './commands/job/cancel.ts';
import { jobListCommand } from './commands/job/list.ts';
import { jobWatchCommand } from './commands/job/watch.ts';
import { repositoryBackupCommand } from './commands/repository/backup.ts';
import { repositoryCheckCommand } from './commands/repository/check.ts';
import { repositoryInitCommand } from './commands/repository/init.ts';
import { repositoryLsCommand } from './commands/repository/ls.ts';
import { repositoryRestoreCommand } from './commands/repository/restore.ts';
import { repositorySnapshotsCommand } from './commands/repository/snapshots.ts';
import { vaultListCommand } from './commands/vault/list.ts';
import { programVersion } from './program-version.ts';

const widestHelp = 100;

const groups: readonly {
  readonly heading: string;
  readonly commands: readonly ((cli: Cli) => CliCommand)[];
}[] = [
  { heading: 'Environments:', commands: [environmentListCommand, environmentGetCommand] },
  {
    heading: 'Backups:',
    commands: [
      backupCreateCommand,
      backupListCommand,
      backupGetCommand,
      backupLogCommand,
      backupRestoreCommand,
      backupDeleteCommand,
    ],
  },
  { heading: 'Jobs:', commands: [jobListCommand, jobWatchCommand, jobCancelCommand] },
  { heading: 'Vaults:', commands: [vaultListCommand] },
  {
    heading: 'Repositories, without a server:',
    commands: [
      repositoryInitCommand,
      repositoryBackupCommand,
      repositorySnapshotsCommand,
      repositoryLsCommand,
      repositoryRestoreCommand,
      repositoryCheckCommand,
    ],
  },
  { heading: 'Server:', commands: [serverStartCommand] },
];

const footer = `
A blank does for the colon: holdfast backup create. For one command: holdfast help backup:create.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 done with warnings, 4 not found, 5 not allowed,
6 not possible in this state, 130 interrupted.

Environment: HOLDFAST_URL, HOLDFAST_TOKEN, HOLDFAST_DATA; HOLDFAST_DEBUG=1 shows where an error comes from.`;

/** The whole command line, with all commands; writes only to the context's outputs and never ends the process. */
export function createProgram(cli: Cli): CliCommand {
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
  for (const { heading, commands } of groups) {
    for (const create of commands) {
      program.addCommand(create(cli).copyInheritedSettings(program).helpGroup(heading));
    }
  }
  return program;
}

/** A command's own options first, then those in groups of their own. */
function groupedLast(command: Command): Option[] {
  const options = new Help().visibleOptions(command);
  const isGrouped = (option: Option) => option.helpGroupHeading !== undefined;
  return [...options.filter((option) => !isGrouped(option)), ...options.filter(isGrouped)];
}

/** Stands in the list for the sake of help: `bin/holdfast` starts the server before it comes to this. */
function serverStartCommand(cli: Cli): CliCommand {
  return new CliCommand('server')
    .description('Run the server, until it is told to stop')
    .example('server', 'run it with its data in HOLDFAST_DATA')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(
      cli.action(() => {
        throw new HoldfastError('usage-invalid', 'The server is not part of this program.', {
          hint: 'Start it as `holdfast server`, by the program bin/holdfast.',
        });
      }),
    );
}
