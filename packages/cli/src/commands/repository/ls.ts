import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { LsOptions } from '../../repository/list-files.ts';
import { readingLockOptions, repositoryCommand } from '../../repository/repository-options.ts';
import { selectionOptions } from '../../repository/snapshot-selection.ts';

export function repositoryLsCommand(cli: Cli): CliCommand {
  return selectionOptions(
    readingLockOptions(repositoryCommand('repository:ls', 'List the files of a snapshot')),
    '"latest" only',
  )
    .argument('<id>', 'the snapshot, or "latest"; with :PATH after it only that directory of it')
    .option('-l, --long', 'with mode, owner, size and time')
    .example('repository:ls latest', 'every path of the newest snapshot')
    .example('repository:ls latest:/etc --long', 'one directory and all below it, with its metadata')
    .action(
      cli.action(async (reference: string, options: LsOptions) => {
        const { listFiles } = await import('../../repository/list-files.ts');
        return listFiles(cli.context, reference, options);
      }),
    );
}
