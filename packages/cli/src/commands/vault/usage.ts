import { exitStatus } from '@holdfast/base';
import type { VaultUsage } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { type RecordOptions, recordOptions, serverCommand } from '../../command/shared-options.ts';
import { sizeColumn } from '../../output/columns.ts';
import { formatBytes } from '../../output/quantities.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { connect } from '../../server/connect.ts';

type Folder = VaultUsage['folders'][number];

const columns: Columns<Folder> = {
  environment: { title: 'environment', raw: (each) => each.environmentName },
  folder: { title: 'folder', raw: (each) => each.folder },
  files: { title: 'files', raw: (each) => each.files },
  size: sizeColumn('size', (each) => each.bytes),
};
const shown = Object.keys(columns);

export function vaultUsageCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(serverCommand('vault:usage', 'Show how much a vault holds, by repository'), {
    columns,
    shown,
  })
    .argument('<vault>', 'id or name')
    .example('vault:usage b2', 'counted now, file by file')
    .action(
      cli.action(async (vault: string, options: RecordOptions) => {
        const client = await connect(context, options);
        const { signal } = context.interrupts;
        const usage = await client.call('vault.usage', { params: { vault }, signal });
        writeRecords(context, {
          items: usage.folders,
          columns,
          shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: 'There is nothing in it.',
        });
        const free = usage.freeBytes === null ? '' : `; room for ${formatBytes(usage.freeBytes)} more`;
        context.notes.line(`${formatBytes(usage.bytes)} in all${free}.`);
        return exitStatus.done;
      }),
    );
}
