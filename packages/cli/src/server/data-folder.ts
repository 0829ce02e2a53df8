import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CliContext } from '../context.ts';

/**
 * The server's data directory on this machine: `HOLDFAST_DATA`, else `/var/lib/holdfast` for root and
 * `$XDG_DATA_HOME/holdfast` for anybody else.
 */
export function dataFolder(
  { env }: Pick<CliContext, 'env'>,
  isRoot: boolean = process.geteuid?.() === 0,
): string {
  if (env.HOLDFAST_DATA) return env.HOLDFAST_DATA;
  if (isRoot) return '/var/lib/holdfast';
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), '.local', 'share'), 'holdfast');
}
