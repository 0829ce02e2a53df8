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

type NamedBackup = Pick<BackupSummary, 'id' | 'environmentName' | 'createdAtMs' | 'status' | 'description'>;

interface DeleteOptions extends ServerOptions {
  readonly all?: boolean;
  readonly environment?: string;
  readonly yes?: boolean;
  readonly format: 'plain' | 'json';
}

export function backupDeleteCommand(cli: Cli): CliCommand {
  return serverCommand('backup:delete', 'Delete backups for good')
    .argument('[id...]', 'the backups')
    .option('--all', 'all backups of an environment')
    .option('-e, --environment <environment>', environmentHelp)
    .option('-y, --yes', 'do not ask')
    .addOption(formatOption('plain'))
    .example('backup:delete bak_0123456789abcdef', 'delete one backup, after a question')
    .example('backup:delete --all -e staging', 'all that there are of an environment')
    .action(cli.action((ids: string[], options: DeleteOptions) => deleteBackups(cli.context, ids, options)));
}

/** Nothing is deleted unless every backup is there. One that fails does not keep the others. */
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
    backups.set(backup.id, backup);
  }
  if (isAll) {
    const environment = await chooseEnvironment(context, client, options.environment);
    for (const backup of await allOf(context, client, environment)) backups.set(backup.id, backup);
  }
  const [first] = backups.values();
  if (first === undefined) {
    context.notes.line('There are no backups.');
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
  for (const backup of backups.values()) {
    const each = await deleteBackup(context, client, backup);
    if (status === exitStatus.done || status === exitStatus.warnings) status = each;
    if (each === exitStatus.interrupted) break;
  }
  return status;
}

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

async function deleteBackup(context: CliContext, client: Client, backup: NamedBackup): Promise<ExitStatus> {
  try {
    const { job } = await client.call('backup.delete', {
      params: { backup: backup.id },
      signal: context.interrupts.signal,
    });
    const ended = await waitForJob(context, client, { jobId: job.id, cancels: true });
    const status = endJob(context, ended);
    if (status === exitStatus.done || status === exitStatus.warnings) {
      context.notes.line(`Deleted ${backup.id}.`);
    }
    return status;
  } catch (error) {
    const failure = failureOf(error);
    writeFailure(context, failure);
    return failure.status;
  }
}

function backupText(backup: NamedBackup): string {
  const description = backup.description === '' ? '' : `, "${backup.description}"`;
  return `  ${backup.id}: ${backup.environmentName}, ${formatMinute(backup.createdAtMs)}, ${backup.status}${description}`;
}
