import { type Abortable, HoldfastError, isHoldfastError, throwIfAborted } from '@holdfast/base';
import type { Backend } from '../backend/backend.ts';
import { sha256 } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { asId } from '../format/id-codec.ts';
import type { KeyId } from '../format/ids.ts';
import { decodeKeyFile, type KeyFile } from '../format/key-file.ts';
import { sealKeyFile, unsealKeyFile } from './key-seal.ts';
import type { Runtime } from './runtime.ts';
import type { LockedOptions } from './snapshot-store.ts';

export interface KeyInfo {
  readonly id: KeyId;
  /** RFC 3339, as the key file says it. */
  readonly created: string;
  readonly username: string;
  readonly hostname: string;
  /** True for the key that this repository was opened with. */
  readonly isCurrent: boolean;
}

export interface OpenedKey {
  readonly id: KeyId;
  readonly masterKey: MasterKey;
}

/** What the key file says of who made it. Default: who does it now, and where. */
export interface AddKeyOptions extends Abortable {
  readonly username?: string | undefined;
  readonly hostname?: string | undefined;
}

/** The passwords that open a repository, one key file each. */
export class KeyStore {
  readonly #backend: Backend;
  #current: OpenedKey;
  readonly #runtime: Runtime;

  constructor(backend: Backend, current: OpenedKey, runtime: Runtime) {
    this.#backend = backend;
    this.#current = current;
    this.#runtime = runtime;
  }

  /** Key files that cannot be read are left out. */
  async list(options: Abortable = {}): Promise<KeyInfo[]> {
    const keys: KeyInfo[] = [];
    for await (const { id, keyFile } of keyFiles(this.#backend, options)) {
      if (keyFile === undefined) continue;
      const { created, username, hostname } = keyFile;
      keys.push({ id, created, username, hostname, isCurrent: id === this.#current.id });
    }
    return keys;
  }

  /** From then on the password opens the repository too. */
  async add(password: string, { username, hostname, signal }: AddKeyOptions = {}): Promise<KeyId> {
    const { identity } = this.#runtime;
    const maker = {
      ...identity,
      username: username ?? identity.username,
      hostname: hostname ?? identity.hostname,
    };
    const runtime = { ...this.#runtime, identity: maker };
    return await saveKey(this.#backend, this.#current.masterKey, { password, runtime, signal });
  }

  /**
   * Puts a new password in the place of the one that the repository was opened with. When it rejects, the old one still
   * opens the repository; the new one may, too.
   * @throws HoldfastError `usage-invalid` for an empty password; `repository-lock-lost`
   */
  async replaceCurrent(password: string, { lock, signal }: LockedOptions): Promise<KeyId> {
    const previous = this.#current;
    const id = await this.add(password, { signal });
    await lock.confirm({ signal });
    await this.#backend.remove({ kind: 'key', id: previous.id }, { signal });
    this.#current = { ...previous, id };
    return id;
  }

  /**
   * The key that a user means by its id or the beginning of it.
   * @throws HoldfastError `key-unknown`; `usage-invalid` when several ids begin like this
   */
  async find(reference: string, options: Abortable = {}): Promise<KeyId> {
    const prefix = reference.toLowerCase();
    const matching: KeyId[] = [];
    for await (const { id } of this.#backend.list('key', options)) {
      if (prefix !== '' && id.startsWith(prefix)) matching.push(asId<KeyId>(id));
    }
    const [first, ...others] = matching;
    if (first !== undefined && others.length === 0) return first;
    if (first === undefined) {
      throw new HoldfastError('key-unknown', `There is no key "${reference}".`, {
        hint: 'List the keys to see which there are.',
      });
    }
    throw new HoldfastError('usage-invalid', `Several keys begin with "${reference}".`, {
      hint: 'Give more of the id.',
      context: { keyIds: matching },
    });
  }

  /**
   * The key's password does not open the repository any more; false if there was no such key.
   * @throws HoldfastError `usage-invalid` for the key that the repository is open with, and when that one is gone:
   *   the other may be the last; `repository-lock-lost`
   */
  async remove(id: KeyId, { lock, signal }: LockedOptions): Promise<boolean> {
    if (id === this.#current.id) {
      throw new HoldfastError(
        'usage-invalid',
        'The key that the repository was opened with cannot be removed.',
        {
          hint: 'Open the repository with another password first.',
        },
      );
    }
    if ((await this.#backend.stat({ kind: 'key', id: this.#current.id }, { signal })) === undefined) {
      throw new HoldfastError('usage-invalid', 'The key that the repository was opened with is gone.', {
        hint: 'Open the repository with another password: the key to be removed may be the last one.',
      });
    }
    await lock.confirm({ signal });
    return await this.#backend.remove({ kind: 'key', id }, { signal });
  }
}

export interface SaveKeyOptions extends Abortable {
  readonly password: string;
  readonly runtime: Runtime;
}

/** Writes a key file, and proves on the stored bytes that the password opens it. */
export async function saveKey(
  backend: Backend,
  masterKey: MasterKey,
  { password, runtime, signal }: SaveKeyOptions,
): Promise<KeyId> {
  if (password === '') {
    throw new HoldfastError('usage-invalid', 'The password of a repository cannot be empty.', {
      hint: 'Give a password.',
    });
  }
  const contents = await sealKeyFile(masterKey, password, runtime);
  throwIfAborted(signal);
  const id = asId<KeyId>(sha256(contents));
  await backend.save({ kind: 'key', id }, [contents], { signal });
  const stored = await backend.load({ kind: 'key', id }, { signal });
  const opened = stored && (await unsealKeyFile(decodeKeyFile(stored), password));
  if (opened === undefined || !opened.encrypt.equals(masterKey.encrypt)) {
    throw new HoldfastError('repository-damaged', 'A new key file does not open with its own password.', {
      hint: 'The storage gave back other bytes than were written, or lost them. Check the storage.',
      context: { keyId: id },
    });
  }
  return id;
}

/**
 * The first key that the password opens.
 * @throws HoldfastError `password-wrong` when there is none; `repository-damaged` when there are no keys at all
 */
export async function openKey(
  backend: Backend,
  password: string,
  options: Abortable = {},
): Promise<OpenedKey> {
  let found = 0;
  let unusable = 0;
  for await (const { id, keyFile } of keyFiles(backend, options)) {
    found += 1;
    throwIfAborted(options.signal);
    const masterKey = keyFile === undefined ? 'unusable' : await tryKey(keyFile, password);
    if (masterKey === 'unusable') unusable += 1;
    else if (masterKey !== undefined) return { id, masterKey };
  }
  if (found === unusable) throw noKeys(found);
  throw new HoldfastError(
    'password-wrong',
    `The password opens none of the ${found} keys of the repository.`,
    {
      hint:
        unusable === 0
          ? 'Check the password or the password file.'
          : `Check the password. ${unusable} of the keys cannot be read: it may be that of one of them.`,
      context: { keys: found, unusableKeys: unusable },
    },
  );
}

function noKeys(unusable: number): HoldfastError {
  const what = unusable === 0 ? 'has no keys' : 'has no key that can be read';
  return new HoldfastError('repository-damaged', `The repository ${what}.`, {
    hint: 'Restore its folder "keys" from another copy.',
    context: { unusableKeys: unusable },
  });
}

async function tryKey(keyFile: KeyFile, password: string): Promise<MasterKey | 'unusable' | undefined> {
  try {
    return await unsealKeyFile(keyFile, password);
  } catch (error) {
    if (isHoldfastError(error, 'repository-damaged', 'repository-unsupported')) return 'unusable';
    throw error;
  }
}

async function* keyFiles(
  backend: Backend,
  options: Abortable,
): AsyncIterable<{ readonly id: KeyId; readonly keyFile: KeyFile | undefined }> {
  for await (const { id } of backend.list('key', options)) {
    const contents = await backend.load({ kind: 'key', id }, options);
    if (contents === undefined) continue;
    yield { id: asId<KeyId>(id), keyFile: decodeOrUndefined(contents) };
  }
}

function decodeOrUndefined(contents: Buffer): KeyFile | undefined {
  try {
    return decodeKeyFile(contents);
  } catch (error) {
    if (isHoldfastError(error, 'repository-damaged')) return undefined;
    throw error;
  }
}
