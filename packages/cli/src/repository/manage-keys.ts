import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import { formatTimestamp, type KeyInfo, parseTimestamp, type Repository } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { titledTableLines } from '../output/table.ts';
import { confirmOrLeave } from '../terminal/confirm.ts';
import { lockExclusive, lockShared, openGivenRepository } from './open-given-repository.ts';
import type { LockedRepositoryOptions } from './repository-options.ts';
import { newPassword } from './repository-password.ts';

export const keyActions = ['list', 'add', 'remove', 'passwd'] as const;
export type KeyAction = (typeof keyActions)[number];

export interface KeyOptions extends LockedRepositoryOptions {
  readonly newPasswordFile?: string;
  /** What is noted of a new key. */
  readonly user?: string;
  readonly host?: string;
  readonly yes?: boolean;
}

export interface KeyRequest {
  readonly action: KeyAction;
  readonly id: string | undefined;
}

/** @throws HoldfastError `usage-invalid` where an id is missing or out of place */
export async function manageKeys(
  context: CliContext,
  { action, id }: KeyRequest,
  options: KeyOptions,
): Promise<ExitStatus> {
  if ((action === 'remove') !== (id !== undefined)) {
    throw new HoldfastError(
      'usage-invalid',
      action === 'remove' ? 'Nothing says which key to remove.' : `"key ${action}" takes no id.`,
      { hint: 'The keys and their ids: repository:key list.' },
    );
  }
  const repository = await openGivenRepository(context, options);
  switch (action) {
    case 'list':
      await listKeys(context, repository, options);
      break;
    case 'add':
      await addKey(context, repository, options);
      break;
    case 'remove':
      await removeKey(context, repository, { id: id ?? '', options });
      break;
    case 'passwd':
      await changePassword(context, repository, options);
      break;
  }
  return exitStatus.done;
}

async function listKeys(context: CliContext, repository: Repository, options: KeyOptions): Promise<void> {
  const keys = await repository.keys.list({ signal: context.interrupts.signal });
  if (options.json === true) {
    context.output.line(JSON.stringify(keys.map(keyJson)));
    return;
  }
  const rows = keys.map((key) => [
    `${key.isCurrent ? '*' : ' '}${key.id.slice(0, 8)}`,
    key.username,
    key.hostname,
    createdText(key),
  ]);
  const { output, notes } = context;
  for (const line of titledTableLines([' id', 'user', 'host', 'created'], rows, output.columns))
    output.line(line);
  notes.line('* opened the repository just now.');
}

/** As restic's `key list --json`. */
function keyJson(key: KeyInfo): object {
  return {
    current: key.isCurrent,
    id: key.id,
    userName: key.username,
    hostName: key.hostname,
    created: createdText(key),
  };
}

function createdText({ created }: KeyInfo): string {
  const time = parseTimestamp(created);
  return time === undefined ? created : formatTimestamp(time).slice(0, 19).replace('T', ' ');
}

async function addKey(context: CliContext, repository: Repository, options: KeyOptions): Promise<void> {
  const password = await newPassword(context, options.newPasswordFile);
  await using _lock = await lockShared(context, repository, options);
  const id = await repository.keys.add(password, {
    username: options.user,
    hostname: options.host,
    signal: context.interrupts.signal,
  });
  tell(context, { action: 'add', id, text: 'The new password opens the repository, too. Its key:' });
}

async function removeKey(
  context: CliContext,
  repository: Repository,
  { id: reference, options }: { readonly id: string; readonly options: KeyOptions },
): Promise<void> {
  const { signal } = context.interrupts;
  await using lock = await lockExclusive(context, repository, options);
  const id = await repository.keys.find(reference, { signal });
  const key = (await repository.keys.list({ signal })).find((each) => each.id === id);
  if (key?.isCurrent !== true) {
    const text = key === undefined ? '' : `, made by ${key.username} on ${key.hostname}, ${createdText(key)}`;
    await confirmOrLeave(context, {
      plan: [`  ${id}${text}`],
      question: 'Remove this key? Its password will not open the repository any more.',
      yes: options.yes,
    });
  }
  await repository.keys.remove(id, { lock, signal });
  tell(context, { action: 'remove', id, text: 'Removed the key:' });
}

async function changePassword(
  context: CliContext,
  repository: Repository,
  options: KeyOptions,
): Promise<void> {
  const password = await newPassword(context, options.newPasswordFile);
  await using lock = await lockExclusive(context, repository, options);
  const id = await repository.keys.replaceCurrent(password, { lock, signal: context.interrupts.signal });
  tell(context, { action: 'passwd', id, text: 'The new password is in the place of the old one. Its key:' });
}

function tell(
  context: CliContext,
  { action, id, text }: { readonly action: KeyAction; readonly id: string; readonly text: string },
): void {
  if (context.asJson) {
    context.output.line(JSON.stringify({ message_type: 'key', action, id }));
    return;
  }
  context.notes.line(text);
  context.output.line(id);
}
