import { fileURLToPath } from 'node:url';
import { type Run, type RunContext, runUntimed } from './timed-process.ts';

/**
 * Runs one of the programs in `limit/` or `floor/`, which measure their own work alone: what they do before it, such as
 * reading the input into memory, does not count. They print `{wallSeconds, cpuSeconds}` as JSON.
 */
export async function runSelfTimed(
  program: string,
  args: readonly string[],
  context: RunContext & { settle(): void },
): Promise<Run> {
  const path = fileURLToPath(new URL(`../${program}`, import.meta.url));
  context.settle();
  const output = await runUntimed(
    {
      program: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', path, ...args],
      env: process.env,
    },
    context,
  );
  const { wallSeconds, cpuSeconds } = JSON.parse(output) as Pick<Run, 'wallSeconds' | 'cpuSeconds'>;
  return { wallSeconds, cpuSeconds, peakMemoryBytes: 0 };
}
