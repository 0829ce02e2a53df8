import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MemoryWatch, runningProcesses } from './process-tree.ts';

/** A program to be run, with its whole environment. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Exit statuses that are no failure, beside 0. */
  readonly accepts?: readonly number[];
}

/** What one run took. */
export interface Run {
  readonly wallSeconds: number;
  /** User and system time of the process and of every descendant that was waited for. */
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
  readonly repositoryBytes?: number;
}

export interface RunContext {
  /** Where the program's outputs go; they are overwritten by the next run. */
  readonly logFolder: string;
  readonly signal: AbortSignal;
}

/**
 * The shell's own `time` knows wall time and, from the kernel's accounts, the processor time of all descendants to the
 * millisecond. It writes to descriptor 3, which the program does not get.
 */
const timing = `TIMEFORMAT='%3R %3U %3S'; { time "$@" 2>&4 3>&- 4>&-; } 4>&2 2>&3`;
const keptOutputLength = 4_000;

/**
 * Runs a program to its end, without standard input and without a terminal.
 * @throws Error with the end of what it wrote when it fails; the signal's reason when that fires
 */
export async function runTimed(command: Command, { logFolder, signal }: RunContext): Promise<Run> {
  signal.throwIfAborted();
  const logs = ['out', 'err'].map((name) => join(logFolder, `program.${name}`));
  const others = runningProcesses();
  const outputs = logs.map((log) => openSync(log, 'w'));
  const child = spawn('bash', ['-c', timing, 'bash', command.program, ...command.args], {
    env: { ...command.env },
    stdio: ['ignore', ...outputs, 'pipe'],
    detached: true,
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
  });
  for (const output of outputs) closeSync(output);
  const end = (): void => endGroup(child.pid);
  signal.addEventListener('abort', end, { once: true });
  using memory = new MemoryWatch(child.pid ?? 0, others);
  try {
    const report = text(child.stdio[3] as NodeJS.ReadableStream);
    const [status] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    if (status !== 0 && !command.accepts?.includes(status ?? -1)) throw failure(command, status, logs);
    return { ...parseTimes(await report), peakMemoryBytes: memory.peakBytes };
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** The same where its time is of no interest. Returns what it wrote to its standard output. */
export async function runUntimed(command: Command, context: RunContext): Promise<string> {
  await runTimed(command, context);
  return readFileSync(join(context.logFolder, 'program.out'), 'utf8');
}

/** The shell is the leader of a group of its own, so that its program ends with it. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended on its own.
  }
}

function parseTimes(report: string): Pick<Run, 'wallSeconds' | 'cpuSeconds'> {
  const [wall, user, system] = (report.trim().split('\n').at(-1) ?? '')
    .replaceAll(',', '.')
    .split(' ')
    .map(Number);
  if (
    wall === undefined ||
    user === undefined ||
    system === undefined ||
    Number.isNaN(wall + user + system)
  ) {
    throw new Error(`The shell's time is not a time: ${report}`);
  }
  return { wallSeconds: wall, cpuSeconds: user + system };
}

function failure({ program, args }: Command, status: number | null, logs: readonly string[]): Error {
  const output = logs.map((log) => readFileSync(log, 'utf8').slice(-keptOutputLength).trim()).join('\n');
  return new Error(`\`${[program, ...args].join(' ')}\` ended with ${status}.\n${output}`.trim());
}
