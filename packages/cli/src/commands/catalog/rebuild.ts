import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { otherProgram } from '../../command/other-program.ts';
import { formatOption } from '../../command/shared-options.ts';

/** A program of the server's package: it works on the data directory, as a server does. */
export function catalogRebuildCommand(cli: Cli): CliCommand {
  return otherProgram(cli, 'catalog:rebuild')
    .description('Make a lost catalog again from the vault alone, while no server runs')
    .option(
      '--recovery-key-file <file>',
      'the recovery kit, or a file with the recovery key alone (default: the key that the data directory has)',
    )
    .option('--vault <directory>', 'the vault, as for the server')
    .option('--data <directory>', 'the data directory, as for the server')
    .addOption(formatOption('plain'))
    .example(
      'catalog:rebuild --vault /mnt/vault --recovery-key-file kit.txt',
      'on a new machine, before the server is started',
    )
    .example('catalog:rebuild', 'with the keys that the data directory still has');
}
