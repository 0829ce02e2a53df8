import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import { makePrivateDirectory } from './private-directory.ts';
import { makePrivateFile, readIfThere, writePrivateFile } from './private-file.ts';

/** The recovery keys of vaults: each opens every repository of its vault, as stock restic's `--password-file`. */
export interface RecoveryKeys {
  /** Where a vault's key is, whether it was made already or not. */
  pathOf(vaultName: string): string;
  /** Makes the key where there is none: 256 random bits. */
  ensure(vaultName: string): Promise<void>;
  /** @throws HoldfastError `secret-unreadable` when the file is gone or empty */
  read(vaultName: string): Promise<string>;
  /** Undefined where there is none. */
  readIfThere(vaultName: string): Promise<string | undefined>;
  /** Puts a key in place. Another one that was there is kept beside it, under a name that says so. */
  replace(vaultName: string, key: string): Promise<void>;
}

export function createRecoveryKeys(dataDirectory: string): RecoveryKeys {
  const folder = join(dataDirectory, 'recovery');
  const pathOf = (vaultName: string): string => join(folder, `${vaultName}.key`);

  async function readKey(vaultName: string): Promise<string | undefined> {
    // As restic reads a password file: without the white space around it.
    const key = (await readIfThere(pathOf(vaultName)))?.trim() ?? '';
    return key === '' ? undefined : key;
  }

  return {
    pathOf,
    ensure: async (vaultName) => {
      await makePrivateDirectory(folder);
      await makePrivateFile(pathOf(vaultName), `${randomBytes(32).toString('hex')}\n`);
    },
    readIfThere: readKey,
    replace: async (vaultName, key) => {
      const path = pathOf(vaultName);
      const present = await readKey(vaultName);
      if (present === key) return;
      await makePrivateDirectory(folder);
      if (present !== undefined) await makePrivateFile(`${path}.${nameOf(present)}.replaced`, `${present}\n`);
      await writePrivateFile(path, `${key}\n`);
    },
    read: async (vaultName) => {
      const key = await readKey(vaultName);
      if (key !== undefined) return key;
      throw new HoldfastError('secret-unreadable', `The recovery key of the vault ${vaultName} is gone.`, {
        hint: `Put back your copy as ${pathOf(vaultName)}.`,
        context: { path: pathOf(vaultName) },
      });
    },
  };
}

/** Tells keys apart, and nothing about them. */
function nameOf(key: string): string {
  return createHash('sha256').update('holdfast recovery key ').update(key).digest('hex').slice(0, 8);
}
