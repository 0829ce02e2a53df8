import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { writeObject } from '../../output/object.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { statusLines } from './status-lines.ts';

interface StatusOptions extends ServerOptions {
  readonly format: 'table' | 'json';
}

export function statusCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand('status', 'Show what is protected, what is not, and what needs you')
    .addOption(formatOption('table'))
    .example('status', 'exit status 3 where something needs a person')
    .example('status --format json', 'all of it, for programs')
    .action(
      cli.action(async (options: StatusOptions) => {
        const client = await connect(context, options);
        const status = await client.call('status.get', { signal: context.interrupts.signal });
        writeObject(context, { object: status, lines: statusLines, options });
        return status.problems.length > 0 ? exitStatus.warnings : exitStatus.done;
      }),
    );
}
