import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { changePin, type PinOptions } from '../../server/change-pin.ts';

export function backupUnpinCommand(cli: Cli): CliCommand {
  return serverCommand('backup:unpin', 'Let rules remove a backup again')
    .argument('<id>', 'the backup')
    .addOption(formatOption('plain'))
    .example('backup:unpin bak_0123456789abcdef', 'what applies to other backups applies to it again')
    .action(
      cli.action((id: string, options: PinOptions) =>
        changePin(cli.context, id, options, async (client, backup, signal) => {
          return (await client.call('backup.unpin', { params: { backup: backup.id }, signal })).job;
        }),
      ),
    );
}
