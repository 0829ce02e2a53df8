import { type ExitStatus, exitStatus } from '@holdfast/base';
import type { Backup, Client, Job } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';
import { connect } from './connect.ts';
import type { ServerOptions } from './locate-server.ts';
import { resolveBackup } from './resolve-backup.ts';
import { endJob, waitForJob } from './wait-for-job.ts';

export interface PinOptions extends ServerOptions {
  readonly format: 'plain' | 'json';
}

/** It counts from the answer on; waited for is that the vault knows it too. */
export async function changePin(
  context: CliContext,
  id: string,
  options: PinOptions,
  ask: (client: Client, backup: Backup, signal: AbortSignal) => Promise<Job>,
): Promise<ExitStatus> {
  const client = await connect(context, options);
  const backup = await resolveBackup(context, client, { id, environment: undefined });
  const { id: jobId } = await ask(client, backup, context.interrupts.signal);
  const job = await waitForJob(context, client, { jobId, cancels: false });
  const status = endJob(context, job);
  if (status !== exitStatus.done && status !== exitStatus.warnings) return status;
  if (options.format === 'json') context.output.line(JSON.stringify(job, undefined, 2));
  else context.notes.line(`Written into the manifest of ${backup.id}.`);
  return status;
}
