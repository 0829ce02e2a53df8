import { randomBytes } from 'node:crypto';
import { HoldfastError } from '@holdfast/base';
import type { MasterKeyBytes } from '../format/key-file.ts';

/** A key that is fit to seal and open with: `macR` is masked as Poly1305 demands. */
export type MasterKey = MasterKeyBytes & { readonly isMasked: true };

const encryptBytes = 32;
const macBytes = 16;

export const masterKeyBytes = encryptBytes + 2 * macBytes;

/** The layout of what scrypt derives: the AES-256 key, the AES-128 key k, and r. */
export function splitMasterKey(bytes: Buffer): MasterKey {
  return checkMasterKey({
    encrypt: bytes.subarray(0, encryptBytes),
    macK: bytes.subarray(encryptBytes, encryptBytes + macBytes),
    macR: bytes.subarray(encryptBytes + macBytes, masterKeyBytes),
  });
}

export function randomMasterKey(): MasterKey {
  return splitMasterKey(randomBytes(masterKeyBytes));
}

/** @throws HoldfastError `repository-damaged` when a part has the wrong length */
export function checkMasterKey(key: MasterKeyBytes): MasterKey {
  if (key.encrypt.length !== encryptBytes || key.macK.length !== macBytes || key.macR.length !== macBytes) {
    throw new HoldfastError('repository-damaged', 'The master key in a key file has the wrong length.');
  }
  return { encrypt: key.encrypt, macK: key.macK, macR: masked(key.macR), isMasked: true };
}

/** Clears the 22 bits of r that Poly1305 needs clear. */
function masked(r: Buffer): Buffer {
  const clear: Readonly<Record<number, number>> = { 3: 15, 7: 15, 11: 15, 15: 15, 4: 252, 8: 252, 12: 252 };
  return Buffer.from(r.map((byte, at) => byte & (clear[at] ?? 255)));
}
