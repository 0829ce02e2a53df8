import { HoldfastError } from '@holdfast/base';
import type { Backup, BackupStatus, Client } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';
import { chooseEnvironment } from './choose-environment.ts';

export interface BackupChoice {
  /** As the user typed it; the server takes ids and what begins only one. */
  readonly id: string | undefined;
  readonly environment: string | undefined;
  /** Where no id is given: only backups of this status. */
  readonly status?: BackupStatus;
  /** Where no id is given: what a restore kept instead of what a user asked for. */
  readonly isSafety?: boolean;
}

/**
 * The backup that the user named, else the newest one of the environment.
 *
 * @throws HoldfastError `backup-unknown` when the environment has none
 */
export async function resolveBackup(
  context: CliContext,
  client: Client,
  choice: BackupChoice,
): Promise<Backup> {
  const { signal } = context.interrupts;
  const backup = choice.id ?? (await newestBackup(context, client, choice));
  return client.call('backup.get', { params: { backup }, signal });
}

async function newestBackup(
  context: CliContext,
  client: Client,
  { environment: given, status, isSafety = false }: BackupChoice,
): Promise<string> {
  const environment = await chooseEnvironment(context, client, given);
  const { backups } = await client.call('backup.list', {
    query: { environment, limit: 1, status, ...(isSafety ? { kind: 'safety' } : { notKind: 'safety' }) },
    signal: context.interrupts.signal,
  });
  const [newest] = backups;
  if (newest !== undefined) return newest.id;
  if (isSafety) throw nothingKept(environment);
  const what = status === undefined ? 'backup' : `backup that is ${status}`;
  throw new HoldfastError('backup-unknown', `Environment (Compose project) ${environment} has no ${what}.`, {
    hint: 'Take one with `holdfast backup:create`; see `holdfast backup:list --all`.',
  });
}

function nothingKept(environment: string): HoldfastError {
  return new HoldfastError(
    'backup-unknown',
    `No restore of the environment (Compose project) ${environment} has kept what it overwrote.`,
    { hint: 'A restore does, for 7 days, unless it is asked not to: see `holdfast backup:list`.' },
  );
}
