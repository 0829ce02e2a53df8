import { readlinkSync } from 'node:fs';
import { eventually, mustRun, run } from './process.ts';

/** The stock restic programs of the test bed: 0.14 and 0.18. */
export const resticPrograms: readonly string[] = (process.env.HOLDFAST_TEST_RESTIC ?? 'restic').split(':');

/** Outside the machine's own pid namespace, locks of movers bear a name that stock restic does not know for its host's. */
const unlockAfterKill =
  readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]' ? ['unlock'] : ['unlock', '--remove-all'];

export interface ResticRepository {
  readonly repository: string;
  readonly passwordFile: string;
  /** For a bucket. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * `restic unlock` and `restic check --read-data` with the newest stock restic; throws with its output when it complains.
 * To stock restic a killed process is alive until the system's init has waited for it: that may take a moment.
 */
export async function checkWithRestic(repository: ResticRepository): Promise<void> {
  await eventually('stock restic finds no lock', async () => {
    await restic(repository, unlockAfterKill);
    return (await restic(repository, ['list', 'locks', '--no-lock'])).trim() === '';
  });
  await restic(repository, ['check', '--read-data', '--no-cache']);
}

export function restic(
  { repository, passwordFile, env }: ResticRepository,
  args: readonly string[],
): Promise<string> {
  const words = ['-r', repository, '--password-file', passwordFile, ...args];
  return mustRun(newest(), words, env === undefined ? {} : { env });
}

export async function resticVersion(program: string): Promise<string> {
  return (await run(program, ['version'])).stdout;
}

function newest(): string {
  const program = resticPrograms.at(-1);
  if (program === undefined) throw new Error('HOLDFAST_TEST_RESTIC names no program.');
  return program;
}
