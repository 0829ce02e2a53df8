import { exitStatus } from '@holdfast/base';
import type { LogLine } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { type RecordOptions, recordOptions, serverCommand } from '../../command/shared-options.ts';
import { formatTime } from '../../output/quantities.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { connect } from '../../server/connect.ts';

interface LogOptions extends RecordOptions {
  readonly restore?: boolean;
}

const columns: Columns<LogLine> = {
  time: { title: 'time', raw: (line) => formatTime(line.timeMs) },
  level: { title: 'level', raw: (line) => line.level },
  message: { title: 'message', raw: (line) => line.message },
};
const shown = ['time', 'level', 'message'];

export function backupLogCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(
    serverCommand('backup:log', 'Show what was noted while a backup was taken, or restored'),
    {
      columns,
      shown,
    },
  )
    .argument('<id>', 'the backup')
    .option('--restore', 'of its last restore')
    .example('backup:log bak_0123456789abcdef', 'its log')
    .example('backup:log bak_0123456789abcdef --restore', 'how its last restore went')
    .action(
      cli.action(async (backup: string, options: LogOptions) => {
        const client = await connect(context, options);
        const { log } = await client.call('backup.log', {
          params: { backup },
          query: { of: options.restore === true ? 'restore' : 'backup' },
          signal: context.interrupts.signal,
        });
        writeRecords(context, {
          items: log,
          columns,
          shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: 'Nothing was noted.',
        });
        return exitStatus.done;
      }),
    );
}
