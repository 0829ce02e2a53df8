import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

export function nodeRemoveCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand(
    'node:remove',
    'Reach a Docker Engine no more; its environments and their backups stay',
  )
    .argument('<node>', 'id or name')
    .example('node:remove second', 'until it is added again')
    .action(
      cli.action(async (node: string, options: ServerOptions) => {
        const client = await connect(context, options);
        await client.call('node.remove', { params: { node }, signal: context.interrupts.signal });
        context.notes.line(
          `Removed ${node}. Its environments are inactive; their backups can be restored into others (--target).`,
        );
        return exitStatus.done;
      }),
    );
}
