import { exitStatus } from '@holdfast/base';
import type { Difference } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import {
  environmentHelp,
  type RecordOptions,
  recordOptions,
  serverCommand,
} from '../../command/shared-options.ts';
import { sizeColumn } from '../../output/columns.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { connect } from '../../server/connect.ts';
import { resolveBackup } from '../../server/resolve-backup.ts';

const columns: Columns<Difference> = {
  change: { title: 'change', raw: ({ change }) => change },
  part: { title: 'part', raw: ({ part }) => part },
  path: { title: 'path', raw: ({ path, type }) => (type === 'dir' ? `${path}/` : path) },
  type: { title: 'type', raw: ({ type }) => type },
  old: sizeColumn('old size', ({ oldSize }) => oldSize),
  new: sizeColumn('new size', ({ newSize }) => newSize),
};
const shown = ['change', 'part', 'path', 'old', 'new'];

interface DiffOptions extends RecordOptions {
  readonly environment?: string;
}

export function backupDiffCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(
    serverCommand(
      'backup:diff',
      'Show what differs between two backups; from what is there now: backup:restore --dry-run',
    ),
    {
      columns,
      shown,
    },
  )
    .argument('<id>', 'the older backup')
    .argument('[other]', 'the newer one (default: the newest ready one of the environment)')
    .option('-e, --environment <environment>', environmentHelp)
    .example('backup:diff bak_0123456789abcdef', 'what changed from then to the newest backup')
    .action(
      cli.action(async (id: string, other: string | undefined, options: DiffOptions) => {
        const client = await connect(context, options);
        const older = await resolveBackup(context, client, { id, environment: undefined, status: 'ready' });
        const environment = options.environment ?? older.environmentName;
        const newer = await resolveBackup(context, client, { id: other, environment, status: 'ready' });
        const { differences, isMore } = await client.call('backup.diff', {
          params: { backup: older.id },
          query: { with: newer.id },
          signal: context.interrupts.signal,
        });
        writeRecords(context, {
          items: differences,
          columns,
          shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: `${older.id} and ${newer.id} hold the same.`,
        });
        if (isMore) context.notes.line(`There is more: only the first ${differences.length} are shown.`);
        return exitStatus.done;
      }),
    );
}
