import { exitStatus } from '@holdfast/base';
import { isJobOver } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import { connect } from '../../server/connect.ts';
import type { ServerOptions } from '../../server/locate-server.ts';
import { resolveJob } from '../../server/resolve-job.ts';

interface CancelOptions extends ServerOptions {
  readonly format: 'plain' | 'json';
}

export function jobCancelCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return serverCommand('job:cancel', 'Ask a job to stop')
    .argument('<id>', 'the job, or the beginning of its id')
    .addOption(formatOption('plain'))
    .example('job:cancel job_0123456789abcdef', 'returns at once; see job:watch for the end')
    .action(
      cli.action(async (id: string, options: CancelOptions) => {
        const client = await connect(context, options);
        const job = await client.call('job.cancel', {
          params: { job: await resolveJob(context, client, id) },
          signal: context.interrupts.signal,
        });
        if (options.format === 'json') context.output.line(JSON.stringify(job, undefined, 2));
        context.notes.line(
          isJobOver(job.state)
            ? `Job ${job.id} is ${job.state}.`
            : `Job ${job.id} was asked to stop: see \`holdfast job:watch ${job.id}\`.`,
        );
        return exitStatus.done;
      }),
    );
}
