import { randomBytes } from 'node:crypto';
import { checkMasterKey, type MasterKey } from '../crypto/master-key.ts';
import { deriveKey, scryptSaltBytes } from '../crypto/scrypt.ts';
import { seal, unseal } from '../crypto/seal.ts';
import { decodeMasterKey, encodeKeyFile, encodeMasterKey, type KeyFile } from '../format/key-file.ts';
import { formatTimestamp, localTimestamp } from '../format/timestamp.ts';
import type { Runtime } from './runtime.ts';

/** The contents of a new key file, by which the password opens what the master key seals. */
export async function sealKeyFile(
  masterKey: MasterKey,
  password: string,
  { clock, identity, scrypt }: Runtime,
): Promise<Buffer> {
  const salt = randomBytes(scryptSaltBytes);
  const passwordKey = await deriveKey(password, salt, scrypt);
  return encodeKeyFile({
    created: formatTimestamp(localTimestamp(BigInt(Math.trunc(clock.now())) * 1_000_000n)),
    username: identity.username,
    hostname: identity.hostname,
    scrypt,
    salt,
    sealedMasterKey: seal(passwordKey, encodeMasterKey(masterKey)),
  });
}

/**
 * The master key; undefined if the password is not that of this key file.
 * @throws HoldfastError `repository-unsupported` for scrypt parameters out of bounds
 */
export async function unsealKeyFile(keyFile: KeyFile, password: string): Promise<MasterKey | undefined> {
  const passwordKey = await deriveKey(password, keyFile.salt, keyFile.scrypt);
  const document = unseal(passwordKey, keyFile.sealedMasterKey);
  return document && checkMasterKey(decodeMasterKey(document));
}
