import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { type RepositoryOptions, repositoryCommand } from '../../repository/repository-options.ts';

export function repositoryInitCommand(cli: Cli): CliCommand {
  return repositoryCommand('repository:init', 'Make a new repository')
    .example('repository:init -r /srv/backups --password-file key', 'make one, for restic and Holdfast alike')
    .action(
      cli.action(async (options: RepositoryOptions) => {
        const { initGivenRepository } = await import('../../repository/init-given-repository.ts');
        await initGivenRepository(cli.context, options);
        return exitStatus.done;
      }),
    );
}
