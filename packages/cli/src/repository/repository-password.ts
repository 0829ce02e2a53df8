import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import { type CliContext, isInteractive } from '../context.ts';
import type { RepositoryOptions } from './repository-options.ts';
import { shellWords } from './shell-words.ts';

const runFile = promisify(execFile);

/**
 * The repository's password, looked for as restic does: `--password-command`, `--password-file` (or their variables), then
 * `RESTIC_PASSWORD`, then the user at the terminal.
 *
 * @param isNew true where a repository is made: then the user types it twice
 * @throws HoldfastError `usage-invalid`; `secret-unreadable`; `interrupted`
 */
export async function repositoryPassword(
  context: CliContext,
  options: RepositoryOptions,
  { isNew }: { isNew: boolean },
): Promise<string> {
  const { env } = context;
  const command = options.passwordCommand ?? (env.RESTIC_PASSWORD_COMMAND || undefined);
  const file = options.passwordFile ?? (env.RESTIC_PASSWORD_FILE || undefined);
  if (command !== undefined && file !== undefined) {
    throw new HoldfastError('usage-invalid', 'Both a password file and a password command are given.', {
      hint: 'Give one of the two.',
    });
  }
  if (command !== undefined) return passwordOfCommand(context, command);
  if (file !== undefined) return passwordOfFile(resolve(context.folder, file));
  if (env.RESTIC_PASSWORD) return env.RESTIC_PASSWORD;
  if (isInteractive(context)) return typedPassword(context, { isNew });
  throw new HoldfastError('usage-invalid', 'There is no password for the repository.', {
    hint: 'Give --password-file or --password-command, or set RESTIC_PASSWORD.',
  });
}

/**
 * A password that is going to be one of the repository's: what the file has, else what the user types twice.
 *
 * @throws HoldfastError `usage-invalid`; `secret-unreadable`; `interrupted`
 */
export async function newPassword(context: CliContext, file: string | undefined): Promise<string> {
  if (file !== undefined) return passwordOfFile(resolve(context.folder, file));
  if (isInteractive(context)) return typedPassword(context, { isNew: true });
  throw new HoldfastError('usage-invalid', 'There is no new password.', {
    hint: 'Give --new-password-file.',
  });
}

async function passwordOfCommand(context: CliContext, commandLine: string): Promise<string> {
  const [program, ...words] = shellWords(commandLine);
  try {
    const { stdout } = await runFile(program, words, {
      cwd: context.folder,
      signal: context.interrupts.signal,
    });
    return nonEmpty(stdout.trim(), `what ${program} printed`);
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const { signal } = context.interrupts;
    if (signal.aborted) throw signal.reason;
    // Its arguments and its output may hold secrets: only its name is told.
    throw new HoldfastError('secret-unreadable', `The password command ${program} failed.`, {
      hint: 'Run it by hand to see why.',
    });
  }
}

async function passwordOfFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new HoldfastError(
      'secret-unreadable',
      `The password file ${path} cannot be read (${systemErrorCode(error) ?? 'unknown reason'}).`,
      { hint: 'Check --password-file and RESTIC_PASSWORD_FILE.', cause: error },
    );
  }
  return nonEmpty(text.replace(/^\uFEFF/, '').trim(), `the password file ${path}`);
}

async function typedPassword(context: CliContext, { isNew }: { isNew: boolean }): Promise<string> {
  const first = await ask(context, isNew ? 'Password for the new repository' : 'Password of the repository');
  if (isNew && first !== (await ask(context, 'The same once more'))) {
    throw new HoldfastError('usage-invalid', 'The two passwords are not the same.');
  }
  return nonEmpty(first, 'what was typed');
}

async function ask(context: CliContext, message: string): Promise<string> {
  // Loaded here and not before: most runs ask nothing.
  const { password: askPassword, isCancel } = await import('@clack/prompts');
  const { signal } = context.interrupts;
  const answer = await askPassword({ message, input: context.input, output: context.errors.stream, signal });
  if (isCancel(answer)) throw new HoldfastError('interrupted', 'Interrupted.');
  return answer ?? '';
}

function nonEmpty(password: string, origin: string): string {
  if (password !== '') return password;
  throw new HoldfastError('secret-unreadable', `The password is empty: ${origin}.`);
}
