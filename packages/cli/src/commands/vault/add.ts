import { exitStatus, HoldfastError } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import { limitsOf, locationOf, type PlaceOptions, placeOptions, readGiven, s3Of } from './vault-options.ts';

interface AddOptions extends PlaceOptions {
  readonly default?: boolean;
  readonly recoveryKeyFile?: string;
  readonly format: 'plain' | 'json';
}

export function vaultAddCommand(cli: Cli): CliCommand {
  const { context } = cli;
  const command = serverCommand(
    'vault:add',
    'Keep backups in another place too, once it was tried out; prints the id of the vault',
  ).argument('<name>', 'lower-case letters, digits, and - . _');
  return placeOptions(command)
    .option('--default', 'back up to it from now on; what there is in other vaults stays there')
    .option(
      '--recovery-key-file <file>',
      'the recovery kit, or its key: for a vault that another server has made',
    )
    .addOption(formatOption('plain'))
    .example('vault:add disk --path /mnt/backups --default', 'another disk')
    .example(
      'vault:add b2 --s3 s3.eu-central-003.backblazeb2.com/my-backups --key-id 0031a2b --key-secret-file key',
      "a bucket, here Backblaze B2's",
    )
    .action(
      cli.action(async (name: string, options: AddOptions) => {
        const location = locationOf(context, options);
        if (location === undefined) {
          throw new HoldfastError('usage-invalid', 'Nothing says where the vault is.', {
            hint: 'Give --path DIRECTORY, or --s3 HOST/BUCKET with --key-id and --key-secret-file.',
          });
        }
        const s3 = await s3Of(context, options);
        const { recoveryKeyFile: keyFile } = options;
        const recoveryKit = keyFile === undefined ? undefined : await readGiven(context, keyFile);
        const client = await connect(context, options);
        const vault = await client.call('vault.add', {
          body: {
            name,
            location,
            ...(s3 === undefined ? {} : { s3 }),
            ...(options.default === true ? { isDefault: true } : {}),
            ...limitsOf(options),
            ...(recoveryKit === undefined ? {} : { recoveryKit }),
          },
          signal: context.interrupts.signal,
        });
        const { notes, output } = context;
        output.line(options.format === 'json' ? JSON.stringify({ vault }, undefined, 2) : vault.id);
        notes.line(`${vault.location} can be written, read, listed and deleted in, and its clock is right.`);
        notes.line('Make a new recovery kit, with the key of this vault: holdfast vault:kit -o FILE');
        return exitStatus.done;
      }),
    );
}
