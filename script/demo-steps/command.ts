import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

export interface CommandOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Shows what the program says on its standard error; else it is only part of a failure's message. */
  readonly showsNotes?: boolean;
  /** Exit statuses that are no failure, beside 0. */
  readonly accepts?: readonly number[];
}

const keptNotesLength = 4_000;
const killAfterMs = 15_000;

/**
 * Runs a program to its end, without standard input, and gives its standard output.
 * @throws Error with the end of what it said when it fails, takes too long or is interrupted
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { env, signal, timeoutMs, showsNotes = false, accepts = [] }: CommandOptions,
): Promise<string> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const child = spawn(command, args, {
    env: { ...env },
    stdio: ['ignore', 'pipe', showsNotes ? 'inherit' : 'pipe'],
  });
  let output = '';
  let notes = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    notes = (notes + text).slice(-keptNotesLength);
  });
  const what = [path.basename(command), ...args].join(' ');
  const status = await endOf(child, AbortSignal.any([signal, timeout]));
  signal.throwIfAborted();
  if (timeout.aborted)
    throw new Error(`\`${what}\` took longer than ${timeoutMs / 1000} s.\n${notes}`.trim());
  if (status === 0 || (status !== null && accepts.includes(status))) return output;
  throw new Error(`\`${what}\` ended with ${status}.\n${notes || output}`.trim());
}

/** The exit status, once the program is really gone; when the signal fires it is asked to end, and killed if it does not. */
async function endOf(child: ChildProcess, signal: AbortSignal): Promise<number | null> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  let killer: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill('SIGTERM');
    killer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  };
  child.once('error', reject);
  child.once('close', resolve);
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', end);
    clearTimeout(killer);
  }
}
