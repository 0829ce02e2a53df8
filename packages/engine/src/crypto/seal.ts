import { createCipheriv, createDecipheriv, randomFillSync, timingSafeEqual } from 'node:crypto';
import sodium from 'sodium-native';
import type { MasterKey } from './master-key.ts';

const nonceBytes = 16;
const macBytes = 16;

/** Bytes that sealing adds: the nonce before the ciphertext and the MAC after it. */
export const sealOverheadBytes = nonceBytes + macBytes;

/** Encrypts with AES-256-CTR and a fresh random nonce, and appends the Poly1305-AES of the ciphertext. */
export function seal(key: MasterKey, plaintext: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(plaintext.length + sealOverheadBytes);
  const nonce = randomFillSync(sealed.subarray(0, nonceBytes));
  const ciphertext = sealed.subarray(nonceBytes, nonceBytes + plaintext.length);
  ciphertext.set(createCipheriv('aes-256-ctr', key.encrypt, nonce).update(plaintext));
  authenticate(key, { nonce, ciphertext, mac: sealed.subarray(nonceBytes + plaintext.length) });
  return sealed;
}

/** The plaintext; undefined if it was not sealed with this key or was altered since: then nothing is decrypted. */
export function unseal(key: MasterKey, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < sealOverheadBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  const ciphertext = sealed.subarray(nonceBytes, sealed.length - macBytes);
  const mac = Buffer.alloc(macBytes);
  authenticate(key, { nonce, ciphertext, mac });
  if (!timingSafeEqual(mac, sealed.subarray(sealed.length - macBytes))) return undefined;
  return createDecipheriv('aes-256-ctr', key.encrypt, nonce).update(ciphertext);
}

interface Authenticated {
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  /** Written. */
  readonly mac: Uint8Array;
}

function authenticate(key: MasterKey, { nonce, ciphertext, mac }: Authenticated): void {
  const pad = createCipheriv('aes-128-ecb', key.macK, null).update(nonce);
  sodium.crypto_onetimeauth(mac, ciphertext, Buffer.concat([key.macR, pad]));
}
