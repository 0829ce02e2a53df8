import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import { writeUndeletion } from '../../server/delete-later.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

export function environmentUndeleteCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand(
    'environment:undelete',
    'Take back the deletion of an environment: it is backed up again, with what it still has',
  )
    .argument('<environment>', 'id or name')
    .addOption(formatOption('plain'))
    .example('environment:undelete staging', 'within 7 days nothing is lost')
    .action(
      cli.action(async (environment: string, options: ServerOptions) => {
        const client = await connect(context, options);
        const undeletion = await client.call('environment.undelete', {
          params: { environment },
          signal: context.interrupts.signal,
        });
        return writeUndeletion(context, undeletion);
      }),
    );
}
