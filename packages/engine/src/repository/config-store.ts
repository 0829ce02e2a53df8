import { type Abortable, HoldfastError } from '@holdfast/base';
import type { Backend } from '../backend/backend.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { seal, unseal } from '../crypto/seal.ts';
import { type Config, decodeConfig, encodeConfig } from '../format/config.ts';

/** @throws HoldfastError `repository-exists` */
export async function saveConfig(
  backend: Backend,
  key: MasterKey,
  config: Config,
  options: Abortable = {},
): Promise<void> {
  await backend.save({ kind: 'config' }, [seal(key, encodeConfig(config))], options);
}

/** @throws HoldfastError `repository-damaged`, `repository-unsupported` or, when there is none, `repository-missing` */
export async function loadConfig(backend: Backend, key: MasterKey, options: Abortable = {}): Promise<Config> {
  const file = await backend.load({ kind: 'config' }, options);
  if (file === undefined) throw missingRepository(backend);
  const document = unseal(key, file);
  if (document === undefined) {
    throw new HoldfastError('repository-damaged', 'The file "config" of the repository is damaged.', {
      hint: 'Restore it from another copy of the repository. Everything else may well be sound.',
      context: { location: backend.location, sizeBytes: file.length },
    });
  }
  return decodeConfig(document);
}

export function missingRepository(backend: Backend): HoldfastError {
  return new HoldfastError('repository-missing', `There is no repository at ${backend.location}.`, {
    hint: 'Check the location, and that its disk is mounted; or make a repository there with repository:init.',
    context: { location: backend.location },
  });
}
