import { Option } from 'commander';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { excludePatternOptions, includePatternOptions } from '../../repository/pattern-options.ts';
import { readingLockOptions, repositoryCommand } from '../../repository/repository-options.ts';
import type { RestoreCommandOptions } from '../../repository/restore-snapshot-to.ts';
import { selectionOptions } from '../../repository/snapshot-selection.ts';

const overwriteRules = ['always', 'if-changed', 'if-newer', 'never'] as const;

export function repositoryRestoreCommand(cli: Cli): CliCommand {
  const command = repositoryCommand('repository:restore', 'Restore a snapshot into a directory');
  return excludePatternOptions(
    includePatternOptions(selectionOptions(readingLockOptions(command), '"latest" only')),
  )
    .argument('<id>', 'the snapshot, or "latest"; with :PATH after it only that directory of it')
    .requiredOption('-t, --target <directory>', 'where to; it is made where it is not there')
    .option(
      '--delete',
      'remove what is in the target and not in the snapshot; with patterns, only what they take',
    )
    .option('-n, --dry-run', 'write nothing, and tell what would be done')
    .option('--verbose', 'print what becomes of each file')
    .addOption(
      new Option('--overwrite <rule>', 'what becomes of files that are there')
        .choices(overwriteRules)
        .default('always'),
    )
    .option('--sparse', 'make holes where files have zeros')
    .option('--verify', 'read back every file that was written, and compare')
    .example('repository:restore latest --target /srv/restored', 'the newest snapshot')
    .example(
      'repository:restore 1a2b3c4d:/etc/nginx --target /etc/nginx --delete',
      'one directory, exactly as it was',
    )
    .example(
      'repository:restore latest --target / --include /etc/nginx --delete --dry-run --verbose',
      'what would it change?',
    )
    .action(
      cli.action(async (reference: string, options: RestoreCommandOptions) => {
        const { restoreSnapshotTo } = await import('../../repository/restore-snapshot-to.ts');
        return restoreSnapshotTo(cli.context, reference, options);
      }),
    );
}
