import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

interface TestOptions extends ServerOptions {
  readonly format: 'plain' | 'json';
}

export function notificationTestCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand(
    'notification:test',
    'Deliver a test message now; prints what the other side answered, and fails where it did not take it',
  )
    .argument('<notification>', 'id or name')
    .addOption(formatOption('plain'))
    .example('notification:test ops', 'does it arrive?')
    .action(
      cli.action(async (notification: string, options: TestOptions) => {
        const client = await connect(context, options);
        const params = { notification };
        const told = await client.call('notification.test', { params, signal: context.interrupts.signal });
        context.output.line(options.format === 'json' ? JSON.stringify(told, undefined, 2) : told.answer);
        context.notes.line(`Delivered a test message to ${notification}.`);
        return exitStatus.done;
      }),
    );
}
