import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where caches of repositories are, each in a folder named by the repository's id: `$XDG_CACHE_HOME/holdfast`. */
export function defaultCacheDirectory(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'holdfast');
}
