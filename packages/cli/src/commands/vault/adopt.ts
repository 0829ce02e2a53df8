import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import type { Client, Job } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { formatNumberOf } from '../../output/quantities.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { endJob, waitForJob } from '../../server/wait-for-job.ts';
import { readGiven } from './vault-options.ts';

interface AdoptOptions extends ServerOptions {
  readonly passwordFile?: string;
  readonly environment?: string;
  readonly dryRun?: boolean;
  readonly wait: boolean;
  readonly format: 'plain' | 'json';
}

export function vaultAdoptCommand(cli: Cli): CliCommand {
  return serverCommand(
    'vault:adopt',
    'Take in repositories that lie in a vault: one of stock restic, or all that a lost server had; prints the ids of the environments',
  )
    .argument('<vault>', 'id or name')
    .argument(
      '[folder]',
      "of stock restic's repository, within the vault; left out: all that the recovery key of the vault opens",
    )
    .option(
      '--password-file <file>',
      'file with the password of the repository; - for standard input. Not needed again for one that was adopted',
    )
    .option(
      '--environment <name>',
      'what the backups are to be of (default: a new one, called like the folder)',
    )
    .option('--dry-run', 'say what would be taken in, and change nothing')
    .option('--no-wait', 'return as soon as the jobs are queued')
    .addOption(formatOption('plain'))
    .example(
      'vault:adopt nas laptop --password-file password',
      'each snapshot of /mnt/nas/backups/laptop, where nas is /mnt/nas/backups',
    )
    .example('vault:adopt nas laptop', 'what restic has added since')
    .example('vault:adopt cloud', 'the bucket of a lost server, once it was added with its recovery kit')
    .action(
      cli.action((vault: string, folder: string | undefined, options: AdoptOptions) =>
        adopt(cli.context, vault, folder, options),
      ),
    );
}

async function adopt(
  context: CliContext,
  vault: string,
  folder: string | undefined,
  options: AdoptOptions,
): Promise<ExitStatus> {
  const { signal } = context.interrupts;
  const { passwordFile, environment, dryRun } = options;
  const password = passwordFile === undefined ? undefined : await readPassword(context, passwordFile);
  const client = await connect(context, options);
  const { jobs, broken } = await client.call('vault.adopt', {
    params: { vault },
    body: {
      ...(folder === undefined ? {} : { folder }),
      ...(password === undefined ? {} : { password }),
      ...(environment === undefined ? {} : { environment }),
      ...(dryRun === true ? { dryRun } : {}),
    },
    signal,
  });
  for (const each of broken) {
    context.notes.line(`warning: ${each} was a repository, and has no config any more: it is left out.`);
  }
  if (jobs.length === 0) context.notes.line('The vault holds no repository that is not known already.');
  if (!options.wait) {
    for (const { id } of jobs) context.output.line(id);
    return statusOf([], broken);
  }
  const ended = await waitForAll(context, client, jobs);
  const whole = ended.filter(({ job }) => job.state === 'done' || job.state === 'warnings');
  if (options.format === 'json') {
    context.output.line(JSON.stringify({ jobs: ended.map(({ job }) => job), broken }, undefined, 2));
  } else if (dryRun !== true) {
    for (const { job } of whole) context.output.line(job.environmentId);
  }
  if (dryRun !== true) for (const { job } of whole) await tellOf(context, client, job);
  return statusOf(
    ended.map(({ status }) => status),
    broken,
  );
}

interface EndedJob {
  readonly job: Job;
  readonly status: ExitStatus;
}

/** One after the other; the rest goes on where somebody leaves. */
async function waitForAll(
  context: CliContext,
  client: Client,
  jobs: readonly Job[],
): Promise<readonly EndedJob[]> {
  const ended: EndedJob[] = [];
  for (const { id, environmentName } of jobs) {
    if (jobs.length > 1) context.notes.line(`${environmentName}:`);
    const job = await waitForJob(context, client, { jobId: id, cancels: true });
    const status = endJob(context, job);
    ended.push({ job, status });
    if (status === exitStatus.interrupted) break;
  }
  return ended;
}

async function tellOf(context: CliContext, client: Client, job: Job): Promise<void> {
  const { environmentId: environment, environmentName: name } = job;
  const { signal } = context.interrupts;
  const { backups, next } = await client.call('backup.list', { query: { environment, limit: 1000 }, signal });
  const count = next === null ? formatNumberOf(backups.length, 'backup') : 'more than 1000 backups';
  context.notes.line(`${name} has ${count}: see \`holdfast backup:list ${name}\`.`);
}

/** One that fails keeps no other from being taken in: then it is no more than a warning. */
function statusOf(statuses: readonly ExitStatus[], broken: readonly string[]): ExitStatus {
  const isTaken = (status: ExitStatus): boolean =>
    status === exitStatus.done || status === exitStatus.warnings;
  const failed = statuses.find((status) => !isTaken(status));
  if (failed !== undefined && (failed === exitStatus.interrupted || !statuses.some(isTaken))) return failed;
  const isWhole = broken.length === 0 && statuses.every((status) => status === exitStatus.done);
  return isWhole ? exitStatus.done : exitStatus.warnings;
}

/** As stock restic reads it: without the white space around it. */
async function readPassword(context: CliContext, file: string): Promise<string> {
  const password = (await readGiven(context, file)).replace(/^\uFEFF/, '').trim();
  if (password !== '') return password;
  throw new HoldfastError('usage-invalid', `${file} is empty.`, {
    hint: 'It has to hold the password of the repository, alone.',
  });
}
