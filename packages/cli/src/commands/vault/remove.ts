import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { serverCommand } from '../../command/shared-options.ts';
import { formatNumberOf } from '../../output/quantities.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

interface RemoveOptions extends ServerOptions {
  readonly forgetBackups?: boolean;
}

export function vaultRemoveCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand('vault:remove', 'Use a vault no more; what is in it stays there')
    .argument('<vault>', 'id or name')
    .option('--forget-backups', 'also if backups are in it: they are no longer listed')
    .example('vault:remove disk', 'one that holds no backups')
    .example('vault:remove disk --forget-backups', 'also one that does; nothing in it is deleted')
    .action(
      cli.action(async (vault: string, options: RemoveOptions) => {
        const client = await connect(context, options);
        const { backups } = await client.call('vault.remove', {
          params: { vault },
          query: options.forgetBackups === true ? { forget: 'true' } : {},
          signal: context.interrupts.signal,
        });
        const listed = `${formatNumberOf(backups, 'backup')} in it are no longer listed, and stay there.`;
        context.notes.line(
          `Removed ${vault}.${backups === 0 ? '' : ` ${listed}`} Its recovery key stays in the data directory.`,
        );
        return exitStatus.done;
      }),
    );
}
