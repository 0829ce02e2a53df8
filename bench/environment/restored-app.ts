import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Holdfast } from '../../e2e/support/holdfast.ts';
import { eventually } from '../../e2e/support/process.ts';
import { compareTrees } from '../../packages/engine/src/testing/compare-trees.ts';
import type { Bench } from '../lib/bench.ts';
import type { Command } from '../measure/timed-process.ts';
import { runUntimed } from '../measure/timed-process.ts';
import type { Workload } from '../workloads/workload.ts';
import type { AppEnvironment } from './app-environment.ts';
import { type Gap, lengthMs, span } from './heartbeats.ts';

const program = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));
const pieceBytes = 16 * 1024;

/** Three containers, of which two mount the files in the project's folder `content`. */
export async function startApp(environment: AppEnvironment): Promise<void> {
  const command = ['sleep', '1000000'];
  const mounts = { content: '/data' };
  await environment.start({ name: 'app', command, mounts });
  await environment.start({ name: 'worker', command, mounts });
  await environment.start({ name: 'cache', command });
}

/** A copy of the input in the folder, as `content`: what a restore writes to. */
export async function copyInput(bench: Bench, input: Workload, folder: string): Promise<void> {
  await runUntimed({ program: 'cp', args: ['-a', input.path, folder], env: process.env }, bench);
}

/** The real command line, beside its server. */
export function holdfastCommand({ dataDirectory }: Holdfast, ...args: readonly string[]): Command {
  return { program, args, env: { ...process.env, HOLDFAST_DATA: dataDirectory } };
}

/** Writes some bytes into each n-th file; answers how many. */
export function changeFiles(folder: string, everyNth: number): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .filter((_, position) => position % everyNth === 0);
  for (const path of files) {
    const file = openSync(path, 'r+');
    const { size } = fstatSync(file);
    const length = Math.min(pieceBytes, size);
    writeSync(file, randomBytes(length), 0, length, Math.floor((size - length) / 2));
    closeSync(file);
  }
  return files.length;
}

/** @throws Error that names what differs from the input */
export function requireRestored(input: Workload, folder: string): void {
  const differences = compareTrees(input.path, folder);
  if (differences.length === 0) return;
  throw new Error(`Something else was restored: ${differences.slice(0, 5).join('; ')}`);
}

/** What stops and starts all containers; from the first that stopped to the last that ran again, in milliseconds. */
export async function downtimeOf(environment: AppEnvironment, work: () => Promise<unknown>): Promise<number> {
  const sinceMs = Date.now();
  await work();
  const gaps: Gap[] = [];
  for (const service of environment.pausedServices) {
    // The first beat comes once the program is loaded.
    const isDown = async () => {
      const stops = (await environment.gaps(service, sinceMs)).filter(({ fromMs }) => fromMs >= sinceMs);
      return stops.find((gap) => gap.isRestart);
    };
    gaps.push(await eventually(`${service} runs again`, isDown));
  }
  return lengthMs(span(gaps));
}
