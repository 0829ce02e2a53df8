import { basename, join, resolve } from 'node:path';
import { exitStatus, HoldfastError } from '@holdfast/base';
import type { Client, Repository } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import {
  environmentHelp,
  type RecordOptions,
  recordOptions,
  serverCommand,
} from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';
import { dataFolder } from '../../server/data-folder.ts';
import { readSecret } from '../../server/read-secret.ts';
import { confirmOrLeave } from '../../terminal/confirm.ts';

interface PasswordOptions extends RecordOptions {
  readonly all?: boolean;
  readonly show?: boolean;
  readonly yes?: boolean;
}

interface OpenableRepository extends Repository {
  /** Null unless it is to be shown. */
  readonly password: string | null;
}

const columns: Columns<OpenableRepository> = {
  environment: { title: 'environment', raw: (repository) => repository.environmentName },
  id: { title: 'environment id', raw: (repository) => repository.environmentId },
  repository: { title: 'repository', raw: (repository) => repository.location },
  file: { title: 'password file', raw: (repository) => repository.passwordFile },
  password: { title: 'password', raw: (repository) => repository.password },
};
const shown = ['environment', 'repository', 'file'];

/** What is shown is the vault's recovery key: a repository's own password is for Holdfast, and leaves the server never. */
export function repositoryPasswordCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(
    serverCommand(
      'repository:password',
      "Tell where an environment's repository is and what opens it with stock restic: the vault's recovery key",
    ),
    { columns, shown: [...shown, 'password with --show'] },
  )
    .argument('[environment]', environmentHelp)
    .option('--all', 'all environments that have a repository')
    .option('--show', "show the key itself, not only its file; on the server's machine, and noted in its log")
    .option('-y, --yes', 'do not ask before the key is shown')
    .example('repository:password guestbook', 'the repository, and the file for --password-file')
    .example('repository:password --all --show --format csv', 'all, with the key itself, after a question')
    .action(
      cli.action(async (given: string | undefined, options: PasswordOptions) => {
        const client = await connect(context, options);
        const repositories = await find(context, client, { given, all: options.all === true });
        const items =
          options.show === true
            ? await withPasswords(context, client, { repositories, yes: options.yes })
            : repositories.map((repository) => ({ ...repository, password: null }));
        writeRecords(context, {
          items,
          columns,
          shown: options.show === true ? [...shown, 'password'] : shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: 'There is no repository yet: the first backup of an environment makes it.',
        });
        return exitStatus.done;
      }),
    );
}

async function find(
  context: CliContext,
  client: Client,
  { given, all }: { readonly given: string | undefined; readonly all: boolean },
): Promise<readonly Repository[]> {
  const { signal } = context.interrupts;
  if (all && given !== undefined) {
    throw new HoldfastError('usage-invalid', 'Either name an environment or give --all.');
  }
  if (all) return (await client.call('repository.list', { signal })).repositories;
  const environment = await chooseEnvironment(context, client, given);
  const { repositories } = await client.call('repository.list', { query: { environment }, signal });
  if (repositories.length > 0) return repositories;
  throw new HoldfastError('repository-missing', `The environment ${environment} has no repository yet.`, {
    hint: 'Its first backup makes it: holdfast backup:create.',
  });
}

/** @throws HoldfastError `right-missing`, `secret-unreadable`, and as `confirmOrLeave` */
async function withPasswords(
  context: CliContext,
  client: Client,
  { repositories, yes }: { readonly repositories: readonly Repository[]; readonly yes: boolean | undefined },
): Promise<readonly OpenableRepository[]> {
  await confirmOrLeave(context, {
    plan: ['The recovery key opens every repository of its vault, also those that are made later.'],
    question: 'Show it here?',
    yes,
  });
  // Never a path that a server names: it may be another machine's.
  const keys = join(resolve(context.folder, dataFolder(context)), 'recovery');
  const items = await Promise.all(
    repositories.map(async (repository) => ({
      ...repository,
      password: await readSecret(join(keys, basename(repository.passwordFile))),
    })),
  );
  const { signal } = context.interrupts;
  await client.call('vault.open', { body: { command: 'repository:password' }, signal });
  return items;
}
