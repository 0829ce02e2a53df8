import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { CheckCommandOptions } from '../../repository/check-given-repository.ts';
import { readingLockOptions, repositoryCommand } from '../../repository/repository-options.ts';

export function repositoryCheckCommand(cli: Cli): CliCommand {
  return readingLockOptions(
    repositoryCommand('repository:check', 'Check that everything in the repository can be restored'),
  )
    .option('--read-data', 'read every file whole and prove every byte of it')
    .example('repository:check -r /srv/backups', 'are all files there, and do all trees read?')
    .example('repository:check --read-data', 'is every byte what it was?')
    .action(
      cli.action(async (options: CheckCommandOptions) => {
        const { checkGivenRepository } = await import('../../repository/check-given-repository.ts');
        return checkGivenRepository(cli.context, options);
      }),
    );
}
