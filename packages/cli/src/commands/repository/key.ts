import { Argument } from 'commander';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import type { KeyAction, KeyOptions } from '../../repository/manage-keys.ts';
import { lockOptions, repositoryCommand } from '../../repository/repository-options.ts';

const actions = ['list', 'add', 'remove', 'passwd'] as const;

export function repositoryKeyCommand(cli: Cli): CliCommand {
  return lockOptions(
    repositoryCommand('repository:key', 'List, add, remove and change the passwords of a repository'),
  )
    .addArgument(new Argument('<action>', 'what to do').choices(actions))
    .argument('[id]', 'the key to remove')
    .option('--new-password-file <file>', 'file with the new password (default: ask for it)')
    .option('--user <name>', 'the user name that is noted of a new key (default: yours)')
    .option('--host <name>', "the host name that is noted of a new key (default: this machine's)")
    .option('-y, --yes', 'do not ask')
    .example('repository:key list', 'who has a password?')
    .example('repository:key add --new-password-file second', 'let another password open it, too')
    .example('repository:key passwd', 'change the password')
    .action(
      cli.action(async (action: KeyAction, id: string | undefined, options: KeyOptions) => {
        const { manageKeys } = await import('../../repository/manage-keys.ts');
        return manageKeys(cli.context, { action, id }, options);
      }),
    );
}
