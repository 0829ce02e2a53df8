import { positiveInteger } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { SnapshotsOptions } from '../../repository/list-snapshots.ts';
import { repositoryCommand } from '../../repository/repository-options.ts';
import { selectionOptions } from '../../repository/snapshot-selection.ts';

export function repositorySnapshotsCommand(cli: Cli): CliCommand {
  return selectionOptions(repositoryCommand('repository:snapshots', 'List snapshots, oldest first'), 'only')
    .argument('[id...]', 'only these snapshots')
    .option('--latest <number>', 'only so many of each host and set of paths', positiveInteger)
    .example('repository:snapshots -r /srv/backups', 'what is in the repository')
    .example('repository:snapshots --latest 1 --json', 'the newest of each, for a program')
    .action(
      cli.action(async (ids: string[], options: SnapshotsOptions) => {
        const { listSnapshots } = await import('../../repository/list-snapshots.ts');
        return listSnapshots(cli.context, ids, options);
      }),
    );
}
