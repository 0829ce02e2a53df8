import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import type { Backup, Client, Job } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { formatNumberOf } from '../../output/quantities.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { endJob, waitForJob } from '../../server/wait-for-job.ts';

interface CheckOptions extends ServerOptions {
  readonly format: 'plain' | 'json';
}

/** What came of looking at one repository. */
interface CheckedRepository {
  readonly job: Job;
  readonly status: ExitStatus;
  readonly damaged: readonly Backup[];
}

export function vaultCheckCommand(cli: Cli): CliCommand {
  return serverCommand('vault:check', 'Look in a vault for what somebody removed or changed')
    .argument('[vault]', 'id or name; the default vault if left out')
    .addOption(formatOption('plain'))
    .example('vault:check', 'exit status 1 where a backup is damaged')
    .action(
      cli.action((vault: string | undefined, options: CheckOptions) =>
        checkVault(cli.context, vault, options),
      ),
    );
}

async function checkVault(
  context: CliContext,
  named: string | undefined,
  options: CheckOptions,
): Promise<ExitStatus> {
  const client = await connect(context, options);
  const { signal } = context.interrupts;
  const vault = named ?? (await defaultVault(client, signal));
  const { jobs } = await client.call('vault.check', { params: { vault }, signal });
  const checked: CheckedRepository[] = [];
  for (const { id } of jobs) {
    const job = await waitForJob(context, client, { jobId: id, cancels: true });
    const status = endJob(context, job);
    const damaged = await damagedOf(client, { vault, environment: job.environmentId, signal });
    checked.push({ job, status, damaged });
    if (status === exitStatus.interrupted) break;
  }
  if (options.format === 'json') context.output.line(JSON.stringify(checked.map(toJson), undefined, 2));
  else for (const each of checked) for (const line of linesOf(each)) context.output.line(line);
  if (checked.length === 0) context.notes.line('The vault holds no repository yet.');
  return statusOf(checked);
}

async function defaultVault(client: Client, signal: AbortSignal): Promise<string> {
  const { vaults } = await client.call('vault.list', { signal });
  const found = vaults.find(({ isDefault }) => isDefault);
  if (found !== undefined) return found.id;
  throw new HoldfastError('vault-unknown', 'There is no vault.');
}

interface DamagedQuery {
  /** Id or name. */
  readonly vault: string;
  readonly environment: string;
  readonly signal: AbortSignal;
}

async function damagedOf(
  client: Client,
  { vault, environment, signal }: DamagedQuery,
): Promise<readonly Backup[]> {
  const { vaults } = await client.call('vault.list', { signal });
  const vaultId = vaults.find(({ id, name }) => id === vault || name === vault)?.id;
  const damaged: Backup[] = [];
  let after: string | undefined;
  do {
    const query = { environment, status: 'damaged', limit: 1000, after } as const;
    const page = await client.call('backup.list', { query, signal });
    for (const { id } of page.backups) {
      const backup = await client.call('backup.get', { params: { backup: id }, signal });
      if (backup.vaultId === vaultId) damaged.push(backup);
    }
    after = page.next ?? undefined;
  } while (after !== undefined);
  return damaged;
}

function toJson({ job, damaged }: CheckedRepository): object {
  return {
    environmentName: job.environmentName,
    jobId: job.id,
    state: job.state,
    error: job.error,
    warnings: job.warnings,
    damaged: damaged.map(({ id, createdAtMs, error }) => ({ id, createdAtMs, error })),
  };
}

function linesOf({ job, damaged }: CheckedRepository): readonly string[] {
  const name = job.environmentName;
  if (job.state === 'failed' || job.state === 'cancelled') return [`${name}: not looked at to the end.`];
  if (damaged.length === 0) {
    return [job.state === 'done' ? `${name}: nothing is missing.` : `${name}: no backup has lost anything.`];
  }
  return [
    `${name}: ${formatNumberOf(damaged.length, 'backup')} damaged.`,
    ...damaged.map(({ id, error }) => `  ${id}: ${error?.message ?? ''}`),
  ];
}

/** The first failure, or else whether something is damaged. */
function statusOf(checked: readonly CheckedRepository[]): ExitStatus {
  const failed = checked.find(({ status }) => status !== exitStatus.done && status !== exitStatus.warnings);
  if (failed !== undefined) return failed.status;
  if (checked.some(({ damaged }) => damaged.length > 0)) return exitStatus.failed;
  return checked.some(({ status }) => status === exitStatus.warnings) ? exitStatus.warnings : exitStatus.done;
}
