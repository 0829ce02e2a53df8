import { exitStatus } from '@holdfast/base';
import { type Job, type JobState, jobStateSchema } from '@holdfast/protocol';
import { Option } from 'commander';
import { positiveInteger } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { type RecordOptions, recordOptions, serverCommand } from '../../command/shared-options.ts';
import { timeColumn } from '../../output/columns.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { connect } from '../../server/connect.ts';

const columns: Columns<Job> = {
  id: { title: 'id', raw: (job) => job.id },
  kind: { title: 'kind', raw: (job) => job.kind },
  environment: { title: 'environment', raw: (job) => job.environmentName },
  backup: { title: 'backup', raw: (job) => job.backupId },
  state: { title: 'state', raw: (job) => job.state },
  created: timeColumn('created', (job) => job.createdAtMs),
  finished: timeColumn('finished', (job) => job.finishedAtMs),
  step: { title: 'step', raw: (job) => job.step },
  error: { title: 'error', raw: (job) => job.error?.code ?? null, text: (job) => job.error?.message ?? '' },
  by: { title: 'by', raw: (job) => job.createdBy },
};
const shown = ['id', 'kind', 'environment', 'backup', 'state', 'created'];

interface ListOptions extends RecordOptions {
  readonly environment?: string;
  readonly state?: JobState;
  readonly limit: number;
}

export function jobListCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(serverCommand('job:list', 'List jobs, newest first'), { columns, shown })
    .option('-e, --environment <environment>', 'only of this environment')
    .addOption(new Option('--state <state>', 'only in this state').choices(jobStateSchema.options))
    .option('--limit <number>', 'at most so many, up to 1000', positiveInteger, 50)
    .example('job:list --state running', 'what is going on')
    .action(
      cli.action(async ({ environment, state, limit, ...options }: ListOptions) => {
        const client = await connect(context, options);
        const { jobs } = await client.call('job.list', {
          query: { environment, state, limit },
          signal: context.interrupts.signal,
        });
        writeRecords(context, {
          items: jobs,
          columns,
          shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: 'There is no such job.',
        });
        return exitStatus.done;
      }),
    );
}
