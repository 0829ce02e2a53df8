import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';

interface AddOptions extends ServerOptions {
  readonly host: string;
  readonly format: 'plain' | 'json';
}

export function nodeAddCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand(
    'node:add',
    "Reach another Docker Engine of the server's machine; prints the id of the node",
  )
    .argument('<name>', 'lower-case letters, digits, and - . _')
    .requiredOption(
      '--host <address>',
      'unix:///path/to/docker.sock or tcp://host:port, as the server reaches it',
    )
    .addOption(formatOption('plain'))
    .example('node:add second --host unix:///run/second/docker.sock', 'an engine with a socket of its own')
    .action(
      cli.action(async (name: string, options: AddOptions) => {
        const client = await connect(context, options);
        const body = { name, dockerHost: options.host };
        const node = await client.call('node.add', { body, signal: context.interrupts.signal });
        context.output.line(options.format === 'json' ? JSON.stringify({ node }, undefined, 2) : node.id);
        if (node.limitation !== null) {
          context.notes.line(
            `Its environments are listed, but files of their volumes cannot be reached: ${node.limitation}.`,
          );
        }
        return exitStatus.done;
      }),
    );
}
