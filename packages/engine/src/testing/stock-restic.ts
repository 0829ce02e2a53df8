import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';

/** A restic program that judges repositories. */
export interface StockRestic {
  /** `restic 0.14.0`, for the names of tests. */
  readonly version: string;
  readonly program: string;
  /**
   * Runs it on a repository; its standard output. Rejects with what it wrote when it exits with another status than 0.
   */
  run(repository: string, password: string, ...args: readonly string[]): Promise<string>;
}

const execute = promisify(execFile);

/** The programs that `HOLDFAST_TEST_RESTIC` lists, separated by colons, else the one on the path. Never none. */
export async function stockRestics(): Promise<StockRestic[]> {
  const listed = (process.env.HOLDFAST_TEST_RESTIC ?? '').split(':').filter((path) => path !== '');
  return await Promise.all((listed.length === 0 ? ['restic'] : listed).map(openRestic));
}

async function openRestic(program: string): Promise<StockRestic> {
  const { stdout } = await execute(program, ['version']);
  const version = /^restic [0-9.]+/.exec(stdout)?.[0] ?? basename(program);
  return {
    version,
    program,
    run: async (repository, password, ...args) => {
      const env = { ...process.env, RESTIC_PASSWORD: password };
      const options = { env, maxBuffer: 64 * 1024 * 1024 };
      return (await execute(program, ['--no-cache', '-r', repository, ...args], options)).stdout;
    },
  };
}
