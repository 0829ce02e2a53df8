import { type ExitStatus, exitStatus } from '@holdfast/base';
import type { BackupId, Client, Job, ReplacedBackup } from '@holdfast/protocol';
import { Option } from 'commander';
import { collect } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { retention } from '../../command/retention-argument.ts';
import { environmentHelp, formatOption, serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import {
  formatBytes,
  formatDuration,
  formatMilliseconds,
  formatMinute,
  formatNumberOf,
} from '../../output/quantities.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { endJob, waitForJob } from '../../server/wait-for-job.ts';

interface CreateOptions extends ServerOptions {
  readonly component?: string[];
  readonly instance?: string;
  readonly description?: string;
  readonly retention?: string;
  readonly allowEmpty?: boolean;
  readonly code: boolean;
  readonly live?: boolean;
  readonly fallback?: 'fail' | 'live';
  readonly wait: boolean;
  readonly format: 'plain' | 'json';
}

export function backupCreateCommand(cli: Cli): CliCommand {
  return serverCommand('backup:create', "Take a backup; prints the new backup's id alone on standard output")
    .argument('[environment]', environmentHelp)
    .option('--component <name>', 'only this component; may be given several times', collect)
    .option('--instance <name>', 'where its backup command runs (default: the first healthy one)')
    .option('--description <text>', 'what the backup is for')
    .option('--retention <duration>', 'how long to keep it, as in 12h, 30d, 4w, 6M, 1y', retention)
    .option('--live', 'pause nothing: files are read as they are, and may not agree with each other')
    .addOption(
      new Option('--fallback <what>', 'what to do if the environment cannot be held still').choices([
        'fail',
        'live',
      ]),
    )
    .option('--allow-empty', 'accept a mount that held data in the last backup and is empty now')
    .option('--no-code', 'only data: neither code and configuration, nor images that no registry has')
    .option('--no-wait', 'return as soon as the job is queued')
    .addOption(formatOption('plain'))
    .example('backup:create', 'back up the Compose project of this folder')
    .example('backup:create guestbook --description "before 2.0" --retention 30d', 'with a reason and an end')
    .example('backup:create shop --component db --no-wait', 'only one component, in the background')
    .action(
      cli.action((given: string | undefined, options: CreateOptions) =>
        createBackup(cli.context, given, options),
      ),
    );
}

const liveWarning = 'A live backup: nothing is paused, so its components may not agree with each other.';

async function createBackup(
  context: CliContext,
  given: string | undefined,
  options: CreateOptions,
): Promise<ExitStatus> {
  const client = await connect(context, options);
  const { job, backupId, replaces } = await client.call('backup.create', {
    params: { environment: await chooseEnvironment(context, client, given) },
    body: {
      description: options.description,
      components: options.component,
      instance: options.instance,
      retention: options.retention,
      allowEmpty: options.allowEmpty,
      code: options.code ? undefined : false,
      mode: options.live === true ? 'live' : undefined,
      fallback: options.fallback,
    },
    signal: context.interrupts.signal,
  });
  const asJson = options.format === 'json';
  for (const replaced of replaces) context.notes.line(replacement(replaced));
  if (!options.wait) {
    writeResult(context, { backupId, job, asJson });
    context.notes.line(
      `Job ${job.id} backs up ${job.environmentName}: see \`holdfast job:watch ${job.id}\`.`,
    );
    return exitStatus.done;
  }
  context.notes.line(`Backing up ${job.environmentName} as ${backupId}.`);
  if (options.live === true) context.notes.line(liveWarning);
  const ended = await waitForJob(context, client, { jobId: job.id, cancels: true });
  const isReady = ended.state === 'done' || ended.state === 'warnings';
  if (isReady || asJson) writeResult(context, { backupId, job: ended, asJson });
  const status = endJob(context, ended);
  if (isReady) await summarize(context, client, ended);
  return status;
}

function replacement({ id, createdAtMs, description, why }: ReplacedBackup): string {
  const what = description === '' ? '' : `, "${description}"`;
  return `Once it is ready, ${id} of ${formatMinute(createdAtMs)}${what} is removed: ${why}.`;
}

/** The id alone, or as JSON with the job, also with one that failed. */
function writeResult(
  { output }: CliContext,
  { backupId, job, asJson }: { backupId: BackupId; job: Job; asJson: boolean },
): void {
  output.line(asJson ? JSON.stringify({ backupId, job }, undefined, 2) : backupId);
}

async function summarize(context: CliContext, client: Client, job: Job): Promise<void> {
  if (job.backupId === null) return;
  const backup = await client.call('backup.get', {
    params: { backup: job.backupId },
    signal: context.interrupts.signal,
  });
  const files = backup.parts.reduce((sum, part) => sum + part.files, 0);
  const facts = [formatNumberOf(backup.parts.length, 'part'), formatNumberOf(files, 'file')];
  if (backup.bytes !== null) facts.push(formatBytes(backup.bytes));
  if (backup.storedBytes !== null) facts.push(`${formatBytes(backup.storedBytes)} new in the vault`);
  if (backup.capture?.frozenMs != null)
    facts.push(`paused for ${formatMilliseconds(backup.capture.frozenMs)}`);
  if (job.startedAtMs !== null && job.finishedAtMs !== null) {
    facts.push(formatDuration(job.finishedAtMs - job.startedAtMs));
  }
  context.notes.line(
    `Backup ${backup.id} of ${backup.environmentName} is ${backup.status}: ${facts.join(', ')}.`,
  );
}
