import type { Abortable } from '@holdfast/base';
import type { Backend } from '../backend/backend.ts';
import { loadConfig, missingRepository } from './config-store.ts';
import { openKey } from './key-store.ts';
import { Repository } from './repository.ts';
import { type Runtime, systemRuntime } from './runtime.ts';

export interface OpenOptions extends Abortable {
  readonly backend: Backend;
  readonly password: string;
  readonly runtime?: Runtime | undefined;
}

/**
 * Opens a repository. Nothing but its config and keys is read yet.
 * @throws HoldfastError `repository-missing`; `password-wrong`; `repository-damaged` when config or keys are;
 *   `repository-unsupported` for another format version
 */
export async function openRepository(options: OpenOptions): Promise<Repository> {
  const { backend, password, signal, runtime = systemRuntime() } = options;
  if ((await backend.stat({ kind: 'config' }, { signal })) === undefined) throw missingRepository(backend);
  const key = await openKey(backend, password, { signal });
  const config = await loadConfig(backend, key.masterKey, { signal });
  return new Repository({ backend, key, config, runtime });
}
