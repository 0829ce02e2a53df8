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
import { componentLines } from './component-lines.ts';

interface GetOptions extends ObjectOptions {
  readonly environment?: string;
}

export function componentGetCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return objectOptions(
    serverCommand('component:get', 'Show a component, and the commands that back it up and restore it'),
  )
    .argument('<component>', 'its name: the Compose service')
    .option('-e, --environment <environment>', environmentHelp)
    .example('component:get db', 'how db of this folder’s Compose project is backed up')
    .action(
      cli.action(async (component: string, options: GetOptions) => {
        const client = await connect(context, options);
        const environment = await chooseEnvironment(context, client, options.environment);
        const object = await client.call('component.get', {
          params: { environment, component },
          signal: context.interrupts.signal,
        });
        writeObject(context, { object, lines: componentLines, options });
        return exitStatus.done;
      }),
    );
}
