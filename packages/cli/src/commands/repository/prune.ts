import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { PruneGivenOptions } from '../../repository/prune-given-repository.ts';
import { pruneOptions } from '../../repository/prune-options.ts';
import { lockOptions, repositoryCommand } from '../../repository/repository-options.ts';

export function repositoryPruneCommand(cli: Cli): CliCommand {
  return pruneOptions(
    lockOptions(repositoryCommand('repository:prune', 'Remove from the repository what no snapshot needs')),
  )
    .option('-n, --dry-run', 'only show what would be done')
    .option('-y, --yes', 'do not ask')
    .example('repository:prune --dry-run', 'see how much would be freed')
    .example('repository:prune --max-unused 100M --yes', 'be thorough, and do not ask')
    .action(
      cli.action(async (options: PruneGivenOptions) => {
        const { pruneGivenRepository } = await import('../../repository/prune-given-repository.ts');
        return pruneGivenRepository(cli.context, options);
      }),
    );
}
