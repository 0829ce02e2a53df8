import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { changePin, type PinOptions } from '../../server/change-pin.ts';

export function backupPinCommand(cli: Cli): CliCommand {
  return serverCommand('backup:pin', 'Keep a backup from every rule, and from being deleted with others')
    .argument('<id>', 'the backup')
    .requiredOption('--reason <text>', 'why it is kept')
    .addOption(formatOption('plain'))
    .example('backup:pin bak_0123456789abcdef --reason "before the move"', 'keep it until it is unpinned')
    .action(
      cli.action((id: string, options: PinOptions & { readonly reason: string }) =>
        changePin(cli.context, id, options, async (client, backup, signal) => {
          const body = { reason: options.reason };
          return (await client.call('backup.pin', { params: { backup: backup.id }, body, signal })).job;
        }),
      ),
    );
}
