import { exitStatus, HoldfastError } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import { limitsOf, locationOf, type PlaceOptions, placeOptions, s3Of } from './vault-options.ts';

interface UpdateOptions extends PlaceOptions {
  readonly default?: boolean;
}

export function vaultUpdateCommand(cli: Cli): CliCommand {
  const { context } = cli;
  const command = serverCommand(
    'vault:update',
    'Change how a vault is reached, or make it the default; its backups stay as they are',
  ).argument('<vault>', 'id or name');
  return placeOptions(command)
    .option('--default', 'back up to it from now on; what there is in other vaults stays there')
    .example('vault:update b2 --key-id 0031a2c --key-secret-file key', 'a new key, once it was tried out')
    .example('vault:update disk --path /mnt/elsewhere', 'the same vault, mounted elsewhere')
    .example('vault:update b2 --default --limit-upload 5M', 'new backups go there, at most so fast')
    .action(
      cli.action(async (name: string, options: UpdateOptions) => {
        const location = locationOf(context, options);
        const s3 = await s3Of(context, options);
        const body = {
          ...(location === undefined ? {} : { location }),
          ...(s3 === undefined ? {} : { s3 }),
          ...(options.default === true ? { isDefault: true as const } : {}),
          ...limitsOf(options),
        };
        if (Object.keys(body).length === 0) {
          throw new HoldfastError('usage-invalid', 'Nothing says what to change.', {
            hint: 'See holdfast vault:update --help.',
          });
        }
        const client = await connect(context, options);
        const { signal } = context.interrupts;
        const vault = await client.call('vault.update', { params: { vault: name }, body, signal });
        const note = vault.isDefault ? ', and is the default' : '';
        context.notes.line(`${vault.name} is at ${vault.location}${note}.`);
        return exitStatus.done;
      }),
    );
}
