import { randomBytes } from 'node:crypto';
import { type Abortable, HoldfastError, isHoldfastError } from '@holdfast/base';
import type { Backend, ListedFileKind } from '../backend/backend.ts';
import { type ChunkerPolynomial, formatPolynomial, randomPolynomial } from '../chunker/polynomial.ts';
import { type MasterKey, randomMasterKey } from '../crypto/master-key.ts';
import { unseal } from '../crypto/seal.ts';
import { type Config, decodeConfig } from '../format/config.ts';
import type { KeyId } from '../format/ids.ts';
import { loadConfig, saveConfig } from './config-store.ts';
import { saveKey } from './key-store.ts';
import { Repository } from './repository.ts';
import { type Runtime, systemRuntime } from './runtime.ts';

export interface InitOptions extends Abortable {
  readonly backend: Backend;
  /** Each opens the repository, with stock restic too: its own password first, then further ones such as a vault's. */
  readonly passwords: readonly [string, ...string[]];
  /** Random by default; another repository's, so that copies between the two deduplicate. */
  readonly polynomial?: ChunkerPolynomial | undefined;
  readonly runtime?: Runtime | undefined;
}

/**
 * Makes a repository of format version 2 and opens it. The config is written last: until then there is no repository.
 * @throws HoldfastError `repository-exists` where one is, or where something is left of one; `usage-invalid`
 */
export async function initRepository(options: InitOptions): Promise<Repository> {
  const { backend, passwords, signal, runtime = systemRuntime() } = options;
  await backend.create({ signal });
  await makeSureNothingIsThere(backend, { signal });
  const masterKey = randomMasterKey();
  const saveKeyFor = (password: string): Promise<KeyId> =>
    saveKey(backend, masterKey, { password, runtime, signal });
  const [ownPassword, ...furtherPasswords] = passwords;
  const ownKeyId = await saveKeyFor(ownPassword);
  const furtherKeyIds = await Promise.all(furtherPasswords.map(saveKeyFor));
  const polynomial = options.polynomial ?? randomPolynomial();
  const id = randomBytes(32).toString('hex');
  await saveOwnConfig(
    backend,
    masterKey,
    { id, chunkerPolynomial: formatPolynomial(polynomial) },
    { signal },
  );
  await makeSureKeysAreThere(backend, [ownKeyId, ...furtherKeyIds], { signal });
  const config = await loadConfig(backend, masterKey, { signal });
  return new Repository({ backend, key: { id: ownKeyId, masterKey }, config, runtime });
}

/** A save that was repeated because its answer was lost finds its own config: that is no other repository. */
async function saveOwnConfig(
  backend: Backend,
  masterKey: MasterKey,
  config: Config,
  options: Abortable,
): Promise<void> {
  try {
    await saveConfig(backend, masterKey, config, options);
  } catch (error) {
    if (!isHoldfastError(error, 'repository-exists')) throw error;
    const stored = await backend.load({ kind: 'config' }, options);
    const document = stored && unseal(masterKey, stored);
    if (document === undefined || decodeConfig(document).id !== config.id) throw error;
  }
}

/** Another init at the same time may have taken them for leftovers. */
async function makeSureKeysAreThere(
  backend: Backend,
  ids: readonly KeyId[],
  options: Abortable,
): Promise<void> {
  for (const id of ids) {
    if ((await backend.stat({ kind: 'key', id }, options)) !== undefined) continue;
    throw existing(backend, 'Another init ran', 'Remove the empty repository, and make it again.');
  }
}

const keptKinds: readonly ListedFileKind[] = ['snapshot', 'index', 'data'];

/** Keys alone are what an interrupted init leaves; they open nothing, and would get in the way of the new ones. */
async function makeSureNothingIsThere(backend: Backend, options: Abortable): Promise<void> {
  const hasConfig = (await backend.stat({ kind: 'config' }, options)) !== undefined;
  if (hasConfig) throw existing(backend, 'There is a repository', 'Open it, or choose another place.');
  for (const kind of keptKinds) {
    for await (const _ of backend.list(kind, options)) {
      throw existing(
        backend,
        'There is a repository without its config',
        'Restore its file "config" from a copy.',
      );
    }
  }
  for await (const { id } of backend.list('key', options)) await backend.remove({ kind: 'key', id }, options);
}

function existing(backend: Backend, what: string, hint: string): HoldfastError {
  return new HoldfastError('repository-exists', `${what} at ${backend.location}.`, {
    hint,
    context: { location: backend.location },
  });
}
