import { scrypt } from 'node:crypto';
import { HoldfastError } from '@holdfast/base';
import type { ScryptParameters } from '../format/key-file.ts';
import { type MasterKey, masterKeyBytes, splitMasterKey } from './master-key.ts';

export const defaultScryptParameters: ScryptParameters = { N: 32_768, r: 8, p: 1 };
export const scryptSaltBytes = 64;

/** Beyond these a key file would stall or starve the machine that opens it. */
const maxMemoryBytes = 1024 * 1024 * 1024;
const maxWork = 2 ** 28;

/**
 * The key that a password gives with a key file's parameters and salt. Takes tens of milliseconds or more.
 * @throws HoldfastError `repository-unsupported` when the parameters are out of bounds
 */
export async function deriveKey(
  password: string,
  salt: Uint8Array,
  { N, r, p }: ScryptParameters,
): Promise<MasterKey> {
  const memoryBytes = 128 * r * (N + p);
  const isPowerOfTwo = N > 1 && Number.isInteger(Math.log2(N));
  if (!isPowerOfTwo || r < 1 || p < 1 || memoryBytes > maxMemoryBytes || N * r * p > maxWork) {
    throw new HoldfastError('repository-unsupported', 'A key file asks for impossible scrypt parameters.', {
      context: { N, r, p },
    });
  }
  return await new Promise<MasterKey>((resolve, reject) => {
    const options = { N, r, p, maxmem: memoryBytes + 1024 * 1024 };
    scrypt(password, salt, masterKeyBytes, options, (error, key) => {
      if (error === null) resolve(splitMasterKey(key));
      else reject(error);
    });
  });
}
