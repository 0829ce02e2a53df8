import { exitStatus } from '@holdfast/base';
import type { Node } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { type RecordOptions, recordOptions, serverCommand } from '../../command/shared-options.ts';
import { timeColumn } from '../../output/columns.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { connect } from '../../server/connect.ts';

const columns: Columns<Node> = {
  id: { title: 'id', raw: (node) => node.id },
  name: { title: 'name', raw: (node) => node.name },
  host: { title: 'host', raw: (node) => node.dockerHost },
  status: { title: 'status', raw: (node) => node.status },
  note: { title: 'note', raw: (node) => node.error ?? node.limitation },
  engine: { title: 'engine', raw: (node) => node.engineId },
  created: timeColumn('created', (node) => node.createdAtMs),
};
const shown = ['id', 'name', 'host', 'status', 'note'];

export function nodeListCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(
    serverCommand('node:list', 'List nodes: the Docker Engines that environments are on'),
    {
      columns,
      shown,
    },
  )
    .example('node:list', 'all nodes, and whether they answer')
    .action(
      cli.action(async (options: RecordOptions) => {
        const client = await connect(context, options);
        const { nodes } = await client.call('node.list', { signal: context.interrupts.signal });
        writeRecords(context, {
          items: nodes,
          columns,
          shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: 'There is no node.',
        });
        return exitStatus.done;
      }),
    );
}
