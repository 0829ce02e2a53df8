import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import { makePrivateDirectory } from './private-directory.ts';
import { makePrivateFile, readIfThere } from './private-file.ts';

/** The recovery keys of vaults: each opens every repository of its vault, as stock restic's `--password-file`. */
export interface RecoveryKeys {
  /** Where a vault's key is, whether it was made already or not. */
  pathOf(vaultName: string): string;
  /** Makes the key where there is none: 256 random bits. */
  ensure(vaultName: string): Promise<void>;
  /** @throws HoldfastError `secret-unreadable` when the file is gone or empty */
  read(vaultName: string): Promise<string>;
}

export function createRecoveryKeys(dataDirectory: string): RecoveryKeys {
  const folder = join(dataDirectory, 'recovery');
  const pathOf = (vaultName: string): string => join(folder, `${vaultName}.key`);

  return {
    pathOf,
    ensure: async (vaultName) => {
      await makePrivateDirectory(folder);
      await makePrivateFile(pathOf(vaultName), `${randomBytes(32).toString('hex')}\n`);
    },
    read: async (vaultName) => {
      // As restic reads a password file: without the white space around it.
      const key = (await readIfThere(pathOf(vaultName)))?.trim() ?? '';
      if (key !== '') return key;
      throw new HoldfastError('secret-unreadable', `The recovery key of the vault ${vaultName} is gone.`, {
        hint: `Put back your copy as ${pathOf(vaultName)}.`,
        context: { path: pathOf(vaultName) },
      });
    },
  };
}
