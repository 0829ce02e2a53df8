import { open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { exitStatus, HoldfastError, systemErrorCode } from '@holdfast/base';
import type { Vault } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { formatTime } from '../../output/quantities.ts';
import { connect } from '../../server/connect.ts';
import { dataFolder } from '../../server/data-folder.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { readSecret } from '../../server/read-secret.ts';

interface KitOptions extends ServerOptions {
  readonly output?: string;
}

interface VaultKey {
  readonly vault: Vault;
  readonly key: string;
}

/** Only on the server's machine, by who may read its data directory: no key ever comes over the network. */
export function vaultKitCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand(
    'vault:kit',
    "Print the recovery kit: what opens every repository when the server's machine is lost",
  )
    .option('-o, --output <file>', 'write it to a new file that only you may read')
    .example('vault:kit -o recovery-kit.txt', 'keep it apart from the server and from the vault')
    .example('vault:kit | gpg --symmetric -o kit.gpg', 'or encrypted')
    .action(
      cli.action(async (options: KitOptions) => {
        const client = await connect(context, options);
        const { signal } = context.interrupts;
        const { vaults } = await client.call('vault.list', { signal });
        const data = resolve(context.folder, dataFolder(context));
        const keys = await Promise.all(
          vaults.map(async (vault) => ({
            vault,
            key: await readSecret(join(data, 'recovery', `${vault.name}.key`)),
          })),
        );
        await client.call('vault.open', { body: { command: 'vault:kit' }, signal });
        const kit = kitText(context, { keys, sealKey: await readSecret(join(data, 'seal.key')) });
        if (options.output === undefined) context.output.text(kit);
        else await writeNewFile(resolve(context.folder, options.output), kit);
        return exitStatus.done;
      }),
    );
}

async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    throw new HoldfastError('usage-invalid', `${path} is there already.`, {
      hint: 'Name another file: an old kit may be the only one.',
    });
  }
}

function kitText(
  { clock }: CliContext,
  { keys, sealKey }: { readonly keys: readonly VaultKey[]; readonly sealKey: string },
): string {
  const lines = [
    'HOLDFAST RECOVERY KIT',
    `Made ${formatTime(clock.now())} on ${hostname()}.`,
    '',
    'Whoever has this and the vault can read every backup. Keep it apart from both the server and the vault.',
    'It stays valid for repositories that are made later. Make a new one when a vault is added or moved.',
    '',
    ...keys.flatMap(({ vault, key }) => [
      `Vault ${vault.name}${vault.isDefault ? ' (default)' : ''}`,
      `  location:     ${vault.location}`,
      `  recovery key: ${key}`,
      '',
    ]),
    'Seal key (opens the secrets in a copy of the catalog)',
    `  ${sealKey}`,
    '',
    'WITHOUT HOLDFAST, with restic 0.14 or later',
    '  Each folder in the location is a repository, called after its environment. For one of them:',
    '',
    "    printf %s 'RECOVERY KEY' > key",
    '    restic -r LOCATION/FOLDER --password-file key snapshots',
    '    restic -r LOCATION/FOLDER --password-file key restore SNAPSHOT --target /restored',
    '',
    '  A backup is several snapshots with the same tag holdfast:backup=ID: one for each volume (its files are below data/),',
    '  and one with manifest.json, which says what each is.',
    '',
  ];
  return `${lines.join('\n')}`;
}
