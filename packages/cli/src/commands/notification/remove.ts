import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

export function notificationRemoveCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand('notification:remove', 'Tell somebody no more; what was still to be told is dropped')
    .argument('<notification>', 'id or name')
    .example('notification:remove ops', 'nothing is sent there from now on')
    .action(
      cli.action(async (notification: string, options: ServerOptions) => {
        const client = await connect(context, options);
        const params = { notification };
        await client.call('notification.remove', { params, signal: context.interrupts.signal });
        context.notes.line(`Removed ${notification}.`);
        return exitStatus.done;
      }),
    );
}
