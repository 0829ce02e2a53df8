import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { ForgetCommandOptions } from '../../repository/forget-snapshots.ts';
import { pruneOptions } from '../../repository/prune-options.ts';
import { lockOptions, repositoryCommand } from '../../repository/repository-options.ts';
import { retentionOptions } from '../../repository/retention-options.ts';
import { selectionOptions } from '../../repository/snapshot-selection.ts';

export function repositoryForgetCommand(cli: Cli): CliCommand {
  const command = lockOptions(
    repositoryCommand('repository:forget', 'Remove snapshots: by a policy, or those that are named'),
  );
  return pruneOptions(
    retentionOptions(selectionOptions(command, 'only', { hostFlag: '--host <host>', usual: '' })),
  )
    .argument('[id...]', 'snapshots to forget; without any, the policy decides')
    .option('-c, --compact', 'show fewer columns')
    .option('-n, --dry-run', 'only show what would be done')
    .option('--prune', 'then remove what only these snapshots needed')
    .option('--unsafe-allow-remove-all', 'without rules: remove all that --host, --tag or --path choose')
    .option('--yes', 'do not ask')
    .example('repository:forget --keep-daily 7 --keep-weekly 5 --prune', 'keep a week and a month of backups')
    .example('repository:forget 1a2b3c4d --dry-run', 'see what forgetting one snapshot would do')
    .action(
      cli.action(async (ids: string[], options: ForgetCommandOptions) => {
        const { forgetGivenSnapshots } = await import('../../repository/forget-snapshots.ts');
        return forgetGivenSnapshots(cli.context, ids, options);
      }),
    );
}
