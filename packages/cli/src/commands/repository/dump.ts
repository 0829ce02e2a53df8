import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { DumpOptions } from '../../repository/dump-snapshot.ts';
import { readingLockOptions, repositoryCommand } from '../../repository/repository-options.ts';
import { selectionOptions } from '../../repository/snapshot-selection.ts';

export function repositoryDumpCommand(cli: Cli): CliCommand {
  return selectionOptions(
    readingLockOptions(
      repositoryCommand('repository:dump', 'Write a file of a snapshot, or a directory as a tar archive'),
    ),
    '"latest" only',
  )
    .argument('<id>', 'the snapshot, or "latest"; with :PATH after it what follows is within that directory')
    .argument('<path>', 'the file or directory; / for all of it')
    .option('-t, --target <file>', 'write to this file (default: standard output)')
    .example('repository:dump latest /etc/hosts', 'one file, to the terminal')
    .example('repository:dump latest /srv/app --target app.tar', 'one directory, with the path that it had')
    .example(
      'repository:dump latest:/srv/app / | tar -x -C /tmp/app',
      'the same, with what is in it at the top',
    )
    .action(
      cli.action(async (reference: string, path: string, options: DumpOptions) => {
        const { dumpSnapshot } = await import('../../repository/dump-snapshot.ts');
        return dumpSnapshot(cli.context, { reference, path }, options);
      }),
    );
}
