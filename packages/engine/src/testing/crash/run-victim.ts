import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseToldCalls, type ToldCall, type VictimTask } from './victim-task.ts';

const victimPath = join(import.meta.dirname, 'victim.ts');

/** The one that `bin/holdfast` uses: a victim starts in a fraction of the time. */
const compileCache =
  process.env.NODE_COMPILE_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'holdfast/compiled');

export interface ProcessEnd {
  /** null when it was killed. */
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
  readonly durationMs: number;
}

export interface VictimEnd extends ProcessEnd {
  readonly told: readonly ToldCall[];
}

/** Runs a victim until it ends, kills itself, or is killed so long after it was started. */
export async function runVictim(task: VictimTask, killAfterMs?: number): Promise<VictimEnd> {
  const env = { NODE_COMPILE_CACHE: compileCache };
  const end = await runProcess(process.execPath, [victimPath, JSON.stringify(task)], { killAfterMs, env });
  return { ...end, told: parseToldCalls(end.output) };
}

export interface ProcessOptions {
  readonly killAfterMs?: number | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program; kills it with SIGKILL, and whatever it started in its process group, after so long. */
export async function runProcess(
  program: string,
  args: readonly string[],
  { killAfterMs, env }: ProcessOptions = {},
): Promise<ProcessEnd> {
  const begunAtMs = performance.now();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached: true,
  });
  const kill = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, 'SIGKILL');
    }
  };
  const timer = killAfterMs === undefined ? undefined : setTimeout(kill, killAfterMs);
  const texts = { output: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.errors += text;
  });
  await once(child, 'close');
  clearTimeout(timer);
  return { ...texts, status: child.exitCode, durationMs: performance.now() - begunAtMs };
}
