import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { type ObjectOptions, objectOptions, serverCommand } from '../../command/shared-options.ts';
import { writeObject } from '../../output/object.ts';
import { connect } from '../../server/connect.ts';
import { notificationLines } from './notification-lines.ts';

export function notificationGetCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return objectOptions(
    serverCommand('notification:get', 'Show a notification, and how its last delivery went'),
  )
    .argument('<notification>', 'id or name')
    .example('notification:get ops', 'which events it wants, and whether they arrive')
    .example('notification:get ops -P lastError.message', 'why they do not')
    .action(
      cli.action(async (notification: string, options: ObjectOptions) => {
        const client = await connect(context, options);
        const params = { notification };
        const object = await client.call('notification.get', { params, signal: context.interrupts.signal });
        writeObject(context, { object, lines: notificationLines, options });
        return exitStatus.done;
      }),
    );
}
