import { type ExitStatus, exitStatus } from '@holdfast/base';
import type { Backup, Client } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { failureOf, writeFailure } from '../../failure.ts';
import { formatMinute, formatNumberOf } from '../../output/quantities.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { resolveBackup } from '../../server/resolve-backup.ts';
import { endJob, waitForJob } from '../../server/wait-for-job.ts';
import { confirmOrLeave } from '../../terminal/confirm.ts';

interface DeleteOptions extends ServerOptions {
  readonly yes?: boolean;
  readonly format: 'plain' | 'json';
}

export function backupDeleteCommand(cli: Cli): CliCommand {
  return serverCommand('backup:delete', 'Delete backups for good')
    .argument('<id...>', 'the backups')
    .option('-y, --yes', 'do not ask')
    .addOption(formatOption('plain'))
    .example('backup:delete bak_0123456789abcdef', 'delete one backup, after a question')
    .action(cli.action((ids: string[], options: DeleteOptions) => deleteBackups(cli.context, ids, options)));
}

/** Nothing is deleted unless every backup is there. One that fails does not keep the others. */
async function deleteBackups(
  context: CliContext,
  ids: readonly string[],
  options: DeleteOptions,
): Promise<ExitStatus> {
  const client = await connect(context, options);
  const backups = new Map<string, Backup>();
  for (const id of ids) {
    const backup = await resolveBackup(context, client, { id, environment: undefined });
    backups.set(backup.id, backup);
  }
  await confirmOrLeave(context, {
    plan: [...backups.values()].map(backupText),
    question: `Delete ${backups.size === 1 ? 'this backup' : `these ${formatNumberOf(backups.size, 'backup')}`} for good?`,
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

async function deleteBackup(context: CliContext, client: Client, backup: Backup): Promise<ExitStatus> {
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

function backupText(backup: Backup): string {
  const description = backup.description === '' ? '' : `, "${backup.description}"`;
  return `  ${backup.id}: ${backup.environmentName}, ${formatMinute(backup.createdAtMs)}, ${backup.status}${description}`;
}
