import { collect, localTime, sizeBytes } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { BackupCommandOptions } from '../../repository/backup-options.ts';
import { groupBy } from '../../repository/parent-snapshot.ts';
import { excludePatternOptions } from '../../repository/pattern-options.ts';
import { lockOptions, repositoryCommand } from '../../repository/repository-options.ts';

export function repositoryBackupCommand(cli: Cli): CliCommand {
  const command = repositoryCommand(
    'repository:backup',
    'Back up files and directories as one snapshot',
  ).argument('[path...]', 'what to back up; with --stdin-from-command the command and its words');
  return compareOptions(
    snapshotOptions(excludeOptions(sourceOptions(excludePatternOptions(lockOptions(command))))),
  )
    .option('-n, --dry-run', 'write nothing, and tell what would be added')
    .option('--no-scan', 'do not count beforehand how much there is to read')
    .example('repository:backup -r /srv/backups --password-file key /etc /home', 'back up two directories')
    .example('repository:backup . --exclude node_modules --tag work', 'without what can be had again')
    .example(
      'repository:backup --stdin-filename db.sql --stdin-from-command -- pg_dump app',
      'what a command prints, and no snapshot if it fails',
    )
    .action(
      cli.action(async (paths: string[], options: BackupCommandOptions) => {
        const { backUpPaths } = await import('../../repository/back-up-paths.ts');
        return backUpPaths(cli.context, paths, options);
      }),
    );
}

function sourceOptions(command: CliCommand): CliCommand {
  return command
    .option(
      '--files-from <file>',
      'file with patterns of what to back up, one a line; - is standard input',
      collect,
    )
    .option('--files-from-verbatim <file>', 'file with paths, one a line', collect)
    .option('--files-from-raw <file>', 'file with paths that each end with a zero byte', collect)
    .option('--stdin', 'back up standard input as a file')
    .option('--stdin-from-command', "back up a command's output as a file; no snapshot if it fails")
    .option('--stdin-filename <name>', 'what that file is called (default: stdin)')
    .option('-x, --one-file-system', 'stay on the file systems of the paths themselves');
}

function excludeOptions(command: CliCommand): CliCommand {
  return command
    .option('--exclude-caches', 'of directories with a CACHEDIR.TAG, back up only that')
    .option(
      '--exclude-if-present <file[:beginning]>',
      'of directories with this file (that begins so), back up only that',
      collect,
    )
    .option(
      '--exclude-larger-than <size>',
      'leave out files larger than this, as in 500K, 10M, 2G',
      sizeBytes,
    );
}

function snapshotOptions(command: CliCommand): CliCommand {
  return command
    .option('--tag <tag[,tag]>', 'tags for the snapshot; may be given several times', collect)
    .option('-H, --host <host>', "the snapshot's host name (default: RESTIC_HOST, else this machine's)")
    .option('--time <time>', 'the snapshot\'s time, as in "2012-11-01 22:08:41" (default: now)', localTime)
    .option('--with-atime', 'keep access times, too: then hardly a snapshot equals the one before')
    .option('--skip-if-unchanged', 'no snapshot where it would equal the one it is compared with');
}

function compareOptions(command: CliCommand): CliCommand {
  return command
    .option('--parent <id>', 'compare with this snapshot (default: the latest of the same group)')
    .option(
      '-g, --group-by <fields>',
      'what makes a group: any of host, paths and tags, with commas (default: host,paths)',
      groupBy,
    )
    .option('-f, --force', 'read every file, also those that did not change since the last snapshot')
    .option('--ignore-ctime', 'files may be unchanged although their change time is not')
    .option('--ignore-inode', 'nor their inode number: for network and FUSE file systems');
}
