import { exitStatus } from '@holdfast/base';
import type { Vault } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { type RecordOptions, recordOptions, serverCommand } from '../../command/shared-options.ts';
import { timeColumn } from '../../output/columns.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { connect } from '../../server/connect.ts';

const columns: Columns<Vault> = {
  id: { title: 'id', raw: (vault) => vault.id },
  name: { title: 'name', raw: (vault) => vault.name },
  location: { title: 'location', raw: (vault) => vault.location },
  default: {
    title: 'default',
    raw: (vault) => vault.isDefault,
    text: (vault) => (vault.isDefault ? 'yes' : 'no'),
  },
  status: { title: 'status', raw: (vault) => vault.status },
  problem: { title: 'problem', raw: (vault) => vault.problem },
  key: { title: 'key', raw: (vault) => vault.keyId },
  checked: timeColumn('checked', (vault) => vault.checkedAtMs),
  created: timeColumn('created', (vault) => vault.createdAtMs),
};
const shown = ['name', 'location', 'default', 'status', 'problem'];

export function vaultListCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(serverCommand('vault:list', 'List vaults: where backups are kept'), { columns, shown })
    .example('vault:list', 'all vaults, with their locations')
    .action(
      cli.action(async (options: RecordOptions) => {
        const client = await connect(context, options);
        const { vaults } = await client.call('vault.list', { signal: context.interrupts.signal });
        writeRecords(context, {
          items: vaults,
          columns,
          shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: 'There is no vault.',
        });
        return exitStatus.done;
      }),
    );
}
