import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import {
  type Backup,
  type BackupId,
  type Client,
  type Environment,
  type Job,
  type ResourceChoice,
  resourceChoiceSchema,
} from '@holdfast/protocol';
import { Option } from 'commander';
import { collect } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { environmentHelp, formatOption, serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { formatDuration, formatMinute } from '../../output/quantities.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { resolveBackup } from '../../server/resolve-backup.ts';
import {
  branchPlanLines,
  itemsToRestore,
  type RestoreItem,
  restorePlanLines,
} from '../../server/restore-plan.ts';
import { importSource, startImport } from '../../server/start-import.ts';
import { endJob, waitForJob } from '../../server/wait-for-job.ts';
import { confirmOrLeave, requireAnswerable } from '../../terminal/confirm.ts';

interface RestoreOptions extends ServerOptions {
  readonly environment?: string;
  readonly target?: string;
  readonly branchFrom?: string;
  readonly node?: string;
  readonly code: boolean;
  readonly createExternal?: boolean;
  readonly allowPrivileges?: boolean;
  readonly resources: boolean;
  readonly resourcesInit?: ResourceChoice;
  readonly component?: string[];
  readonly path?: string[];
  readonly instance?: string;
  readonly undo?: boolean;
  readonly fromUrl?: string;
  readonly fromFile?: string;
  readonly part?: string;
  readonly safety: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly wait: boolean;
  readonly format: 'plain' | 'json';
}

interface PlannedRestore {
  readonly backup: Backup;
  readonly items: readonly RestoreItem[];
  readonly options: RestoreOptions;
}

export function backupRestoreCommand(cli: Cli): CliCommand {
  return serverCommand('backup:restore', 'Put an environment back to the state of a backup')
    .argument('[id]', 'the backup (default: the newest ready one of the environment)')
    .option('-e, --environment <environment>', environmentHelp)
    .option('--target <environment>', 'overwrite this environment instead of the one that the backup is of')
    .option('--branch-from <environment>', 'make the target, a new one, beside this environment')
    .option(
      '--node <name>',
      'where the new target is made (default: where the one is that it is branched from)',
    )
    .option(
      '--no-code',
      'data alone: containers and the project’s folder stay; a new target is made as its parent is now',
    )
    .option('--create-external', 'make missing networks and volumes too that are not its own')
    .option(
      '--allow-privileges',
      'make containers too that may do more to the machine than they can now, or that an archive asks such for',
    )
    .addOption(
      new Option(
        '--resources-init <from>',
        'how much processor and memory new containers may use (default: backup)',
      ).choices(resourceChoiceSchema.options),
    )
    .option('--no-resources', 'limits of processor and memory are not restored: what is new has none')
    .option('--component <name>', 'only this component; may be given several times', collect)
    .option(
      '--path <path>',
      'only PART, or PART/path of a file or folder in it; may be given several times',
      collect,
    )
    .option('--instance <name>', 'where its restore command runs (default: the first healthy one)')
    .option('--undo', 'back to what there was before the last restore, which is kept for 7 days')
    .option('--from-url <url>', 'import what the server downloads from there, and restore that')
    .option('--from-file <path>', 'import a file of this machine, and restore that')
    .option('--part <name>', 'what the URL or the file is of, where it does not say so itself')
    .option('--no-safety', 'keep nothing of what is overwritten')
    .option('--dry-run', 'change nothing; tell what would be restored, removed, made and stopped')
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'return as soon as the job is queued; prints its id')
    .addOption(formatOption('plain'))
    .example('backup:restore', 'back to the newest backup of the Compose project of this folder')
    .example('backup:restore --dry-run', 'what that would change')
    .example('backup:restore --undo', 'back to what there was before that')
    .example('backup:restore bak_0123456789abcdef --component db --yes', 'one component, without a question')
    .example('backup:restore --path guestbook_uploads/logo.png', 'one file, and nothing else')
    .example(
      'backup:restore -e shop --target staging',
      "staging's mounts become what shop's newest backup has",
    )
    .example(
      'backup:restore -e shop --target shop-copy --branch-from shop',
      'a new environment of its own, with what the backup has',
    )
    .example('backup:restore -e shop --from-file shop.tar.zst', 'what backup:download made')
    .action(
      cli.action((id: string | undefined, options: RestoreOptions) =>
        restoreBackup(cli.context, id, options),
      ),
    );
}

async function restoreBackup(
  context: CliContext,
  id: string | undefined,
  options: RestoreOptions,
): Promise<ExitStatus> {
  const asJson = options.format === 'json';
  if (id !== undefined && options.undo === true) {
    throw new HoldfastError('usage-invalid', 'Give a backup, or --undo: not both.', {
      hint: '--undo restores the newest backup of the kind safety.',
    });
  }
  const isImport = options.fromUrl !== undefined || options.fromFile !== undefined;
  if (isImport && (id !== undefined || options.undo === true)) throw severalSources();
  const client = await connect(context, options);
  const imported = isImport ? await importFirst(context, client, options) : { backupId: id };
  if ('status' in imported) return imported.status;
  const backup = await resolveBackup(context, client, {
    id: imported.backupId,
    // What a restore into a target has kept is the target's.
    environment: options.undo === true ? (options.environment ?? options.target) : options.environment,
    status: 'ready',
    isSafety: options.undo === true,
  });
  const items = itemsToRestore(backup, options);
  if (options.dryRun === true) return await previewRestore(context, client, { backup, items, options });
  const target = await confirmTarget(context, client, { backup, items, options });
  const { job } = await client.call('backup.restore', {
    params: { backup: backup.id },
    body: {
      target,
      branchFrom: options.branchFrom,
      node: options.node,
      code: options.code ? undefined : false,
      createExternal: options.createExternal,
      allowPrivileges: options.allowPrivileges,
      resources: resourcesOf(options),
      components: options.component,
      paths: pathsOf(items, options),
      instance: options.instance,
      safety: options.safety,
    },
    signal: context.interrupts.signal,
  });
  if (!options.wait) {
    context.output.line(asJson ? JSON.stringify({ job }, undefined, 2) : job.id);
    context.notes.line(`Job ${job.id} restores: see \`holdfast job:watch ${job.id}\`.`);
    return exitStatus.done;
  }
  const ended = await waitForJob(context, client, { jobId: job.id, cancels: true });
  if (asJson) context.output.line(JSON.stringify({ job: ended }, undefined, 2));
  const status = endJob(context, ended);
  if (status === exitStatus.done || status === exitStatus.warnings) {
    const seconds = (ended.finishedAtMs ?? ended.createdAtMs) - (ended.startedAtMs ?? ended.createdAtMs);
    const state = target === undefined ? 'is back at' : `has what ${backup.environmentName} had at`;
    context.notes.line(
      `${ended.environmentName} ${state} ${backup.id} of ${formatMinute(backup.createdAtMs)}, in ${formatDuration(seconds)}.`,
    );
    await noteKept(context, client, ended, target === undefined ? '' : ` -e ${ended.environmentName}`);
  }
  return status;
}

/** Answers the environment to restore into, as the server is to be told; undefined for the backup's own. */
async function confirmTarget(
  context: CliContext,
  client: Client,
  { backup, items, options }: PlannedRestore,
): Promise<string | undefined> {
  if (options.branchFrom !== undefined) {
    // Nothing is overwritten: what is there of that name is refused.
    for (const line of branchPlanLines({
      backup,
      items,
      name: options.target ?? '',
      parent: options.branchFrom,
    }))
      context.notes.line(line);
    return options.target;
  }
  const target = await otherTarget(context, client, { backup, named: options.target });
  const overwritten = target?.name ?? backup.environmentName;
  await confirmOrLeave(context, {
    plan: restorePlanLines({ backup, items, target, safety: options.safety }),
    ...(options.safety
      ? { question: `Overwrite this in ${overwritten}?` }
      : {
          question: `To overwrite this for good, type the name of the environment, ${overwritten}:`,
          typed: overwritten,
        }),
    yes: options.yes,
  });
  return target?.id;
}

/** The environment to overwrite, where that is not the backup's own. */
async function otherTarget(
  context: CliContext,
  client: Client,
  { backup, named }: { readonly backup: Backup; readonly named: string | undefined },
): Promise<Environment | undefined> {
  if (named === undefined) return undefined;
  const params = { environment: named };
  const target = await client.call('environment.get', { params, signal: context.interrupts.signal });
  return target.id === backup.environmentId ? undefined : target;
}

function resourcesOf({ resources, resourcesInit }: RestoreOptions): ResourceChoice | undefined {
  return resources ? resourcesInit : 'default';
}

/** As the API has them. */
function pathsOf(
  items: readonly RestoreItem[],
  { path: given }: RestoreOptions,
): { part: string; path: string }[] | undefined {
  if (given === undefined) return undefined;
  return items.map(({ part, path = '' }) => ({ part: part.name, path }));
}

/** What would be done is what the job notes. */
async function previewRestore(
  context: CliContext,
  client: Client,
  { backup: { id }, items, options }: PlannedRestore,
): Promise<ExitStatus> {
  const { target, component: components, instance, format, createExternal, allowPrivileges } = options;
  const code = options.code ? undefined : false;
  const making = { code, createExternal, allowPrivileges, resources: resourcesOf(options) };
  const { job } = await client.call('backup.restore', {
    params: { backup: id },
    body: { target, components, paths: pathsOf(items, options), instance, ...making, dryRun: true },
    signal: context.interrupts.signal,
  });
  const ended = await waitForJob(context, client, { jobId: job.id, cancels: true });
  if (format === 'json') context.output.line(JSON.stringify({ job: ended }, undefined, 2));
  const status = endJob(context, ended);
  if (status === exitStatus.done || status === exitStatus.warnings)
    context.notes.line('Nothing was changed.');
  return status;
}

/** The backup that it became or, where none did, the exit status. */
async function importFirst(
  context: CliContext,
  client: Client,
  { fromUrl, fromFile, part, component, yes, dryRun, ...options }: RestoreOptions,
): Promise<{ readonly backupId: BackupId } | { readonly status: ExitStatus }> {
  const source = importSource(fromUrl, fromFile);
  requireAnswerable(context, yes === true || dryRun === true);
  const environment = await chooseEnvironment(context, client, options.environment);
  const [only, ...others] = component ?? [];
  const { job, backupId } = await startImport(context, client, {
    environment,
    source,
    component: others.length === 0 ? only : undefined,
    part,
  });
  context.notes.line(`Importing into ${job.environmentName} as ${backupId}.`);
  const ended = await waitForJob(context, client, { jobId: job.id, cancels: true });
  const status = endJob(context, ended);
  return status === exitStatus.done || status === exitStatus.warnings ? { backupId } : { status };
}

function severalSources(): HoldfastError {
  return new HoldfastError(
    'usage-invalid',
    'Give a backup, --undo, --from-url or --from-file: one of them.',
    {
      hint: 'What is imported becomes a backup of its own: backup:list shows it.',
    },
  );
}

/** Says how to get back what was overwritten. */
async function noteKept(
  context: CliContext,
  client: Client,
  { id, environmentId }: Job,
  named: string,
): Promise<void> {
  const { backups } = await client.call('backup.list', {
    query: { environment: environmentId, kind: 'safety', status: 'ready', limit: 1 },
  });
  const [kept] = backups;
  if (kept?.jobId !== id) return;
  context.notes.line(
    `What was there is kept as ${kept.id} for 7 days: \`holdfast backup:restore --undo${named}\` brings it back.`,
  );
}
