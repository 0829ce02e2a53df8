import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import {
  environmentHelp,
  type ObjectOptions,
  objectOptions,
  serverCommand,
} from '../../command/shared-options.ts';
import { writeObject } from '../../output/object.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';
import { scheduleLines } from './schedule-lines.ts';

export function scheduleGetCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return objectOptions(
    serverCommand('schedule:get', 'Show when an environment is backed up by itself, and what became of it'),
  )
    .argument('[environment]', environmentHelp)
    .example('schedule:get', 'the next five runs, and why the last one was passed over or failed')
    .action(
      cli.action(async (named: string | undefined, options: ObjectOptions) => {
        const client = await connect(context, options);
        const environment = await chooseEnvironment(context, client, named);
        const { signal } = context.interrupts;
        const schedule = await client.call('schedule.get', { params: { environment }, signal });
        writeObject(context, { object: schedule, lines: scheduleLines, options });
        return exitStatus.done;
      }),
    );
}
