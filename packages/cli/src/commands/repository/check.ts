import { Option } from 'commander';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { CheckCommandOptions } from '../../repository/check-given-repository.ts';
import { dataSubset } from '../../repository/data-subset.ts';
import { readingLockOptions, repositoryCommand } from '../../repository/repository-options.ts';

export function repositoryCheckCommand(cli: Cli): CliCommand {
  return readingLockOptions(
    repositoryCommand('repository:check', 'Check that everything in the repository can be restored'),
  )
    .option('--read-data', 'read every file whole and prove every byte of it')
    .addOption(
      new Option(
        '--read-data-subset <subset>',
        'the same of a part: 2/5 for the second of five parts, or 10% or 5G by chance',
      ).argParser(dataSubset),
    )
    .example('repository:check -r /srv/backups', 'are all files there, and do all trees read?')
    .example('repository:check --read-data', 'is every byte what it was?')
    .example('repository:check --read-data-subset 1/7', 'a part on each day of the week')
    .action(
      cli.action(async (options: CheckCommandOptions) => {
        const { checkGivenRepository } = await import('../../repository/check-given-repository.ts');
        return checkGivenRepository(cli.context, options);
      }),
    );
}
