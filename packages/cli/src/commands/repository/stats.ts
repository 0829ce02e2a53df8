import { Option } from 'commander';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { readingLockOptions, repositoryCommand } from '../../repository/repository-options.ts';
import type { StatsOptions } from '../../repository/show-statistics.ts';
import { selectionOptions } from '../../repository/snapshot-selection.ts';

const modes = ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'] as const;

export function repositoryStatsCommand(cli: Cli): CliCommand {
  return selectionOptions(
    readingLockOptions(repositoryCommand('repository:stats', 'Count what snapshots hold')),
    'only',
  )
    .argument('[id...]', 'only these snapshots; "latest" is one')
    .addOption(
      new Option(
        '--mode <mode>',
        'what to count: what a restore writes, files with different contents, the blobs of each file, or blobs in packs',
      )
        .choices(modes)
        .default('restore-size'),
    )
    .example('repository:stats latest', 'how much would the newest snapshot take, restored?')
    .example('repository:stats --mode raw-data', 'how much do all snapshots take in the repository?')
    .action(
      cli.action(async (ids: string[], options: StatsOptions) => {
        const { showStatistics } = await import('../../repository/show-statistics.ts');
        return showStatistics(cli.context, ids, options);
      }),
    );
}
