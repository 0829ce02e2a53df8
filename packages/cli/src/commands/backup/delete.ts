import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import type { BackupStatus, BackupSummary, Client } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { environmentHelp, formatOption, serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { failureOf, writeFailure } from '../../failure.ts';
import { formatMinute, formatNumberOf } from '../../output/quantities.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { resolveBackup } from '../../server/resolve-backup.ts';
import { endJob, waitForJob } from '../../server/wait-for-job.ts';
import { confirmOrLeave } from '../../terminal/confirm.ts';

type NamedBackup = Pick<
  BackupSummary,
  'id' | 'environmentId' | 'environmentName' | 'createdAtMs' | 'status' | 'description' | 'pinReason'
>;

interface DeleteOptions extends ServerOptions {
  readonly all?: boolean;
  readonly environment?: string;
  readonly yes?: boolean;
  readonly format: 'plain' | 'json';
}

export function backupDeleteCommand(cli: Cli): CliCommand {
  return serverCommand('backup:delete', 'Delete backups for good')
    .argument('[id...]', 'the backups')
    .option('--all', 'all backups of an environment that are not pinned')
    .option('-e, --environment <environment>', environmentHelp)
    .option('-y, --yes', 'do not ask')
    .addOption(formatOption('plain'))
    .example('backup:delete bak_0123456789abcdef', 'delete one backup, after a question')
    .example('backup:delete --all -e staging', 'all that there are of an environment')
    .action(cli.action((ids: string[], options: DeleteOptions) => deleteBackups(cli.context, ids, options)));
}

/** Nothing is deleted unless every backup is there. One job deletes those of an environment; one that fails keeps no other. */
async function deleteBackups(
  context: CliContext,
  ids: readonly string[],
  options: DeleteOptions,
): Promise<ExitStatus> {
  const isAll = options.all === true;
  if (isAll === ids.length > 0) {
    throw new HoldfastError('usage-invalid', 'Give the ids of backups, or --all: one of them.', {
      hint: 'holdfast backup:list shows the ids.',
    });
  }
  const client = await connect(context, options);
  const backups = new Map<string, NamedBackup>();
  for (const id of ids) {
    const backup = await resolveBackup(context, client, { id, environment: undefined });
    if (backup.pinReason !== null && backup.id !== id) throw pinned(backup);
    backups.set(backup.id, backup);
  }
  if (isAll) {
    const environment = await chooseEnvironment(context, client, options.environment);
    const all = await allOf(context, client, environment);
    const unpinned = all.filter(({ pinReason }) => pinReason === null);
    if (unpinned.length < all.length) {
      const count = formatNumberOf(all.length - unpinned.length, 'backup');
      context.notes.line(
        `Left alone, for they are pinned: ${count}. Give their ids to delete them all the same.`,
      );
    }
    for (const backup of unpinned) backups.set(backup.id, backup);
  }
  const [first] = backups.values();
  if (first === undefined) {
    context.notes.line('There are no backups to delete.');
    return exitStatus.done;
  }
  const what = backups.size === 1 ? 'this backup' : `these ${formatNumberOf(backups.size, 'backup')}`;
  await confirmOrLeave(context, {
    plan: [...backups.values()].map(backupText),
    ...(isAll
      ? {
          question: `To delete ${what} for good, type the name of the environment, ${first.environmentName}:`,
          typed: first.environmentName,
        }
      : { question: `Delete ${what} for good?` }),
    yes: options.yes,
  });
  let status: ExitStatus = exitStatus.done;
  const byEnvironment = Map.groupBy(backups.values(), ({ environmentId }) => environmentId);
  for (const ofOne of byEnvironment.values()) {
    for (let from = 0; from < ofOne.length; from += mostAtOnce) {
      const each = await deleteTogether(context, client, ofOne.slice(from, from + mostAtOnce));
      if (status === exitStatus.done || status === exitStatus.warnings) status = each;
      if (each === exitStatus.interrupted) return status;
    }
  }
  return status;
}

/** As many as one request may name. */
const mostAtOnce = 10_000;
const pageSize = 1000;

/** Newest first; not those that are being taken or deleted now. */
async function allOf(context: CliContext, client: Client, environment: string): Promise<NamedBackup[]> {
  const found: NamedBackup[] = [];
  let after: string | undefined;
  do {
    const page = await client.call('backup.list', {
      query: { environment, limit: pageSize, after },
      signal: context.interrupts.signal,
    });
    found.push(...page.backups.filter(({ status }) => !isUnderWay(status)));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return found;
}

function isUnderWay(status: BackupStatus): boolean {
  return ['queued', 'running', 'importing', 'deleting'].includes(status);
}

async function deleteTogether(
  context: CliContext,
  client: Client,
  backups: readonly NamedBackup[],
): Promise<ExitStatus> {
  try {
    const { job } = await client.call('backup.deleteSeveral', {
      body: { backups: backups.map(({ id }) => id) },
      signal: context.interrupts.signal,
    });
    const ended = await waitForJob(context, client, { jobId: job.id, cancels: true });
    const status = endJob(context, ended);
    if (status === exitStatus.done || status === exitStatus.warnings) {
      for (const { id } of backups) context.notes.line(`Deleted ${id}.`);
    }
    return status;
  } catch (error) {
    const failure = failureOf(error);
    writeFailure(context, failure);
    return failure.status;
  }
}

function pinned({ id, pinReason }: NamedBackup): HoldfastError {
  return new HoldfastError('backup-pinned', `The backup ${id} is pinned: ${pinReason ?? ''}`, {
    hint: `Give its whole id to delete it all the same, or unpin it: holdfast backup:unpin ${id}.`,
  });
}

function backupText(backup: NamedBackup): string {
  const description = backup.description === '' ? '' : `, "${backup.description}"`;
  const pin = backup.pinReason === null ? '' : `, PINNED: "${backup.pinReason}"`;
  return `  ${backup.id}: ${backup.environmentName}, ${formatMinute(backup.createdAtMs)}, ${backup.status}${description}${pin}`;
}
