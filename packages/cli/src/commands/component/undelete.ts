import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import { writeUndeletion } from '../../server/delete-later.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

export function componentUndeleteCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand('component:undelete', 'Take back the deletion of a component')
    .argument('<environment>', 'id or name')
    .argument('<component>', 'its name: the Compose service')
    .addOption(formatOption('plain'))
    .example('component:undelete shop search', 'its backups and settings stay')
    .action(
      cli.action(async (environment: string, component: string, options: ServerOptions) => {
        const client = await connect(context, options);
        const undeletion = await client.call('component.undelete', {
          params: { environment, component },
          signal: context.interrupts.signal,
        });
        return writeUndeletion(context, undeletion);
      }),
    );
}
