import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { repositoryCommand } from '../../repository/repository-options.ts';
import type { UnlockOptions } from '../../repository/unlock-given-repository.ts';

export function repositoryUnlockCommand(cli: Cli): CliCommand {
  return repositoryCommand('repository:unlock', 'Remove the locks of processes that are gone')
    .option('--remove-all', 'all locks, also of those that still work on the repository')
    .example('repository:unlock', 'after a machine was lost in the middle of a backup')
    .action(
      cli.action(async (options: UnlockOptions) => {
        const { unlockGivenRepository } = await import('../../repository/unlock-given-repository.ts');
        return unlockGivenRepository(cli.context, options);
      }),
    );
}
