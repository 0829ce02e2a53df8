import { type ExitStatus, exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { environmentHelp, formatOption, serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { formatBytes, formatNumberOf } from '../../output/quantities.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';
import { importSource, startImport } from '../../server/start-import.ts';
import { endJob, waitForJob } from '../../server/wait-for-job.ts';

interface ImportOptions {
  readonly url?: string;
  readonly file?: string;
  readonly component?: string;
  readonly part?: string;
  readonly description?: string;
  readonly wait: boolean;
  readonly format: 'plain' | 'json';
  readonly serverUrl?: string;
  readonly tokenFile?: string;
}

export function backupImportCommand(cli: Cli): CliCommand {
  return serverCommand(
    'backup:import',
    "Make a backup of an archive or a dump; prints the new backup's id alone on standard output",
    { urlOption: '--server-url' },
  )
    .argument('[environment]', environmentHelp)
    .option(
      '--url <url>',
      'where the server downloads it from, by http or https (for the server itself: --server-url)',
    )
    .option('--file <path>', 'a file of this machine, which is sent to the server')
    .option('--component <name>', 'what it is of, where it does not say so itself')
    .option('--part <name>', 'the same, by the name of the volume or bind mount')
    .option('--description <text>', 'what the backup is')
    .option('--no-wait', 'return as soon as the job is queued')
    .addOption(formatOption('plain'))
    .example('backup:import shop --file shop.tar.zst', 'what backup:download made, here or elsewhere')
    .example(
      'backup:import shop --url https://example.com/data.tar.gz --part shop_data',
      'files of one volume',
    )
    .example('backup:import shop --file dump.sql --component db', 'a dump, for its restore command')
    .action(
      cli.action((given: string | undefined, options: ImportOptions) =>
        importBackup(cli.context, given, options),
      ),
    );
}

async function importBackup(
  context: CliContext,
  given: string | undefined,
  { url, file, component, part, description, ...options }: ImportOptions,
): Promise<ExitStatus> {
  const source = importSource(url, file);
  const { serverUrl, tokenFile } = options;
  const client = await connect(context, {
    ...(serverUrl === undefined ? {} : { url: serverUrl }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
  });
  const environment = await chooseEnvironment(context, client, given);
  const choice = { environment, source, component, part, description };
  const { job, backupId } = await startImport(context, client, choice);
  const asJson = options.format === 'json';
  const asText = (ended: typeof job): string =>
    asJson ? JSON.stringify({ backupId, job: ended }, undefined, 2) : backupId;
  if (!options.wait) {
    context.output.line(asText(job));
    context.notes.line(
      `Job ${job.id} imports into ${job.environmentName}: see \`holdfast job:watch ${job.id}\`.`,
    );
    return exitStatus.done;
  }
  context.notes.line(`Importing into ${job.environmentName} as ${backupId}.`);
  const ended = await waitForJob(context, client, { jobId: job.id, cancels: true });
  const isReady = ended.state === 'done' || ended.state === 'warnings';
  if (isReady || asJson) context.output.line(asText(ended));
  const status = endJob(context, ended);
  if (!isReady) return status;
  const { signal } = context.interrupts;
  const backup = await client.call('backup.get', { params: { backup: backupId }, signal });
  const facts = [formatNumberOf(backup.parts.length, 'part'), formatBytes(backup.bytes ?? 0)];
  context.notes.line(
    `Backup ${backupId} of ${backup.environmentName} is ${backup.status}: ${facts.join(', ')}. \`holdfast backup:restore ${backupId}\` restores it.`,
  );
  return status;
}
