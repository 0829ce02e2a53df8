import { join } from 'node:path';
import type { Abortable } from '@holdfast/base';
import type { Backend } from '../backend/backend.ts';
import { withMetadataCache } from '../backend/wrappers/metadata-cache.ts';
import { loadConfig, missingRepository } from './config-store.ts';
import { openKey } from './key-store.ts';
import { Repository } from './repository.ts';
import { type Runtime, systemRuntime } from './runtime.ts';

export interface OpenOptions extends Abortable {
  readonly backend: Backend;
  readonly password: string;
  readonly runtime?: Runtime | undefined;
  /**
   * Where metadata of repositories is kept, each repository's in a folder named by its id: see `withMetadataCache`.
   * Without it, none is kept.
   */
  readonly cacheDirectory?: string | undefined;
}

/**
 * Opens a repository. Nothing but its config and keys is read yet.
 * @throws HoldfastError `repository-missing`; `password-wrong`; `repository-damaged` when config or keys are;
 *   `repository-unsupported` for another format version
 */
export async function openRepository(options: OpenOptions): Promise<Repository> {
  const { backend, password, signal, runtime = systemRuntime(), cacheDirectory } = options;
  if ((await backend.stat({ kind: 'config' }, { signal })) === undefined) throw missingRepository(backend);
  const key = await openKey(backend, password, { signal });
  const config = await loadConfig(backend, key.masterKey, { signal });
  const cached =
    cacheDirectory === undefined
      ? backend
      : withMetadataCache(backend, { directory: join(cacheDirectory, config.id) });
  return new Repository({ backend: cached, key, config, runtime });
}
