import { collect } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { BackupCommandOptions } from '../../repository/back-up-paths.ts';
import { lockOptions, repositoryCommand } from '../../repository/repository-options.ts';

export function repositoryBackupCommand(cli: Cli): CliCommand {
  return lockOptions(repositoryCommand('repository:backup', 'Back up files and directories as one snapshot'))
    .argument('<path...>', 'what to back up')
    .option('-e, --exclude <pattern>', 'leave out what matches; may be given several times', collect)
    .option('-x, --one-file-system', 'stay on the file systems of the paths themselves')
    .option('--tag <tag[,tag]>', 'tags for the snapshot; may be given several times', collect)
    .option('-H, --host <host>', "the snapshot's host name (default: this machine's)")
    .option('--parent <id>', 'compare with this snapshot (default: the latest of the same host and paths)')
    .option('-f, --force', 'read every file, also those that did not change since the last snapshot')
    .example('repository:backup -r /srv/backups --password-file key /etc /home', 'back up two directories')
    .example('repository:backup . --exclude node_modules --tag work', 'without what can be had again')
    .action(
      cli.action(async (paths: string[], options: BackupCommandOptions) => {
        const { backUpPaths } = await import('../../repository/back-up-paths.ts');
        return backUpPaths(cli.context, paths, options);
      }),
    );
}
