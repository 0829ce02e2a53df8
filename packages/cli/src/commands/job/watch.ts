import { exitStatus } from '@holdfast/base';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { resolveJob } from '../../server/resolve-job.ts';
import { endJob, waitForJob } from '../../server/wait-for-job.ts';

interface WatchOptions extends ServerOptions {
  readonly format: 'plain' | 'json';
}

export function jobWatchCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand('job:watch', "Follow a job to its end; the exit status is the job's")
    .argument('<id>', 'the job, or the beginning of its id')
    .addOption(formatOption('plain'))
    .example('job:watch job_0123456789abcdef', 'follow it; Ctrl-C leaves, the job goes on')
    .action(
      cli.action(async (id: string, options: WatchOptions) => {
        const asJson = options.format === 'json';
        const client = await connect(context, options);
        const jobId = await resolveJob(context, client, id);
        const job = await waitForJob(context, client, { jobId, cancels: false });
        if (asJson) context.output.line(JSON.stringify(job, undefined, 2));
        const status = endJob(context, job);
        if (status === exitStatus.done || status === exitStatus.warnings) {
          context.notes.line(`Job ${job.id} (${job.kind} of ${job.environmentName}) is done.`);
        }
        return status;
      }),
    );
}
