import { exitStatus } from '@holdfast/base';
import type { BackupSummary, Client } from '@holdfast/protocol';
import { positiveInteger } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import {
  environmentHelp,
  type RecordOptions,
  recordOptions,
  serverCommand,
} from '../../command/shared-options.ts';
import { namesColumn, sizeColumn, timeColumn } from '../../output/columns.ts';
import { ruleOf, shortExpiry } from '../../output/expiry.ts';
import { formatTime } from '../../output/quantities.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';

const pageSize = 1000;
const defaultLimit = 100;

const columns: Columns<BackupSummary> = {
  id: { title: 'id', raw: (backup) => backup.id },
  environment: { title: 'environment', raw: (backup) => backup.environmentName },
  component: namesColumn('component', (backup) => backup.components),
  created: timeColumn('created', (backup) => backup.createdAtMs),
  expires: {
    title: 'expires',
    raw: ({ expiry }) => (expiry.atMs === null ? expiry.text : formatTime(expiry.atMs)),
    text: ({ expiry }) => shortExpiry(expiry),
  },
  rule: { title: 'rule', raw: ({ expiry }) => ruleOf(expiry) },
  size: sizeColumn('size', (backup) => backup.bytes),
  status: {
    title: 'status',
    raw: (backup) => backup.status,
    text: ({ status, doubt }) => (doubt === null ? status : `${status}, doubtful`),
  },
  stored: sizeColumn('stored', (backup) => backup.storedBytes),
  finished: timeColumn('finished', (backup) => backup.finishedAtMs),
  kind: { title: 'kind', raw: (backup) => backup.kind },
  mode: { title: 'mode', raw: (backup) => backup.mode },
  unsteady: { title: 'unsteady', raw: (backup) => backup.capture?.unsteadyFiles ?? null },
  description: { title: 'description', raw: (backup) => backup.description },
  doubt: { title: 'doubt', raw: (backup) => backup.doubt },
  pin: { title: 'pin', raw: (backup) => backup.pinReason },
  job: { title: 'job', raw: (backup) => backup.jobId },
};
const shown = ['id', 'component', 'created', 'expires', 'size', 'kind', 'mode', 'status', 'rule'];
const shownOfAll = ['id', 'environment', ...shown.slice(1)];

interface ListOptions extends RecordOptions {
  readonly all?: boolean;
  readonly limit?: number;
}

export function backupListCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(serverCommand('backup:list', 'List backups, newest first'), { columns, shown })
    .argument('[environment]', environmentHelp)
    .option('--all', 'of every environment')
    .option('--limit <number>', `at most so many (default: ${defaultLimit})`, positiveInteger)
    .example('backup:list', 'backups of the Compose project of this folder')
    .example('backup:list --all --format csv -c id,environment,created,size', 'everything, for a spreadsheet')
    .action(
      cli.action(async (given: string | undefined, options: ListOptions) => {
        const client = await connect(context, options);
        const environment =
          options.all === true ? undefined : await chooseEnvironment(context, client, given);
        const { backups, isCut } = await newestBackups(client, {
          environment,
          limit: options.limit ?? defaultLimit,
          signal: context.interrupts.signal,
        });
        writeRecords(context, {
          items: backups,
          columns,
          shown: options.all === true ? shownOfAll : shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: 'There is no backup yet: take one with `holdfast backup:create`.',
        });
        if (isCut && options.limit === undefined) {
          context.notes.line(`These are the newest ${defaultLimit}: --limit shows more.`);
        }
        return exitStatus.done;
      }),
    );
}

interface Listing {
  readonly environment: string | undefined;
  readonly limit: number;
  readonly signal: AbortSignal;
}

async function newestBackups(
  client: Client,
  { environment, limit, signal }: Listing,
): Promise<{ backups: BackupSummary[]; isCut: boolean }> {
  const backups: BackupSummary[] = [];
  let after: string | undefined;
  do {
    const page = await client.call('backup.list', {
      query: { environment, limit: Math.min(pageSize, limit - backups.length), after },
      signal,
    });
    backups.push(...page.backups);
    after = page.next ?? undefined;
  } while (after !== undefined && backups.length < limit);
  return { backups, isCut: after !== undefined };
}
