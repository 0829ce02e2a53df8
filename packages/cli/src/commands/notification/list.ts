import { exitStatus } from '@holdfast/base';
import type { Notification } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { type RecordOptions, recordOptions, serverCommand } from '../../command/shared-options.ts';
import { namesColumn, timeColumn } from '../../output/columns.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { connect } from '../../server/connect.ts';
import { environmentsText } from './notification-lines.ts';

const columns: Columns<Notification> = {
  id: { title: 'id', raw: ({ id }) => id },
  name: { title: 'name', raw: ({ name }) => name },
  kind: { title: 'kind', raw: ({ settings }) => settings.kind },
  events: namesColumn('events', ({ events }) => events),
  environments: { title: 'environments', raw: ({ environments }) => environmentsText(environments) },
  queued: { title: 'queued', align: 'right', raw: ({ queued }) => queued },
  failed: { title: 'failed', align: 'right', raw: ({ failed }) => failed },
  delivered: timeColumn('last delivered', ({ lastDeliveredAtMs }) => lastDeliveredAtMs, 'never'),
  error: { title: 'last error', raw: ({ lastError }) => lastError?.message ?? null },
  created: timeColumn('created', ({ createdAtMs }) => createdAtMs),
};
const shown = ['id', 'name', 'kind', 'environments', 'delivered', 'error'];

export function notificationListCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(
    serverCommand('notification:list', 'List notifications: whom events are told, and how that went'),
    { columns, shown },
  )
    .example('notification:list', 'all of them')
    .example('notification:list -c name,events', 'which events each wants')
    .action(
      cli.action(async (options: RecordOptions) => {
        const client = await connect(context, options);
        const { notifications } = await client.call('notification.list', {
          signal: context.interrupts.signal,
        });
        writeRecords(context, {
          items: notifications,
          columns,
          shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: 'There is no notification: nobody is told of a failure.',
        });
        return exitStatus.done;
      }),
    );
}
