import { type Cipheriv, createCipheriv, randomFillSync, timingSafeEqual } from 'node:crypto';
import { type CounterMode, createCounterMode } from './counter-mode.ts';
import type { MasterKey } from './master-key.ts';
import { createOneTimeMac, type OneTimeMac } from './one-time-mac.ts';

const nonceBytes = 16;
const macBytes = 16;

/** Bytes that sealing adds: the nonce before the ciphertext and the MAC after it. */
export const sealOverheadBytes = nonceBytes + macBytes;

const ciphers = new WeakMap<MasterKey, SealCipher>();

/** Encrypts with AES-256-CTR and a fresh random nonce, and appends the Poly1305-AES of the ciphertext. */
export function seal(key: MasterKey, plaintext: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(plaintext.length + sealOverheadBytes);
  sealCipherOf(key).seal(plaintext, sealed);
  return sealed;
}

/** The plaintext; undefined if it was not sealed with this key or was altered since: then nothing is decrypted. */
export function unseal(key: MasterKey, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < sealOverheadBytes) return undefined;
  const plaintext = Buffer.allocUnsafe(sealed.length - sealOverheadBytes);
  return sealCipherOf(key).open(sealed, plaintext) ? plaintext : undefined;
}

/** The same for memory that is there already. One for each key and thread: setting a key up costs more than a small blob. */
export function sealCipherOf(key: MasterKey): SealCipher {
  let cipher = ciphers.get(key);
  if (cipher === undefined) {
    cipher = new SealCipher(key);
    ciphers.set(key, cipher);
  }
  return cipher;
}

/** As many nonces are drawn at once: drawing costs as much for one. */
const noncesAtOnce = 256;

export class SealCipher {
  readonly #counterMode: CounterMode;
  readonly #oneTimeMac: OneTimeMac = createOneTimeMac();
  readonly #noncePads: Cipheriv;
  /** r, and behind it the pad of the nonce at hand: Poly1305's one-time key. */
  readonly #oneTimeKey = Buffer.alloc(2 * macBytes);
  readonly #mac = Buffer.alloc(macBytes);
  readonly #nonces = Buffer.alloc(noncesAtOnce * nonceBytes);
  #noncesUsed = noncesAtOnce;

  constructor(key: MasterKey) {
    this.#counterMode = createCounterMode(key.encrypt);
    this.#noncePads = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false);
    this.#oneTimeKey.set(key.macR);
  }

  /** Fills `sealed`, which is longer than the plaintext by the overhead. */
  seal(plaintext: Uint8Array, sealed: Uint8Array): void {
    const nonce = sealed.subarray(0, nonceBytes);
    nonce.set(this.#freshNonce());
    const ciphertext = sealed.subarray(nonceBytes, sealed.length - macBytes);
    this.#counterMode.apply(nonce, plaintext, ciphertext);
    sealed.set(this.#authenticate(nonce, ciphertext), sealed.length - macBytes);
  }

  /** Fills `plaintext`, which is shorter than `sealed` by the overhead; false, and nothing written, if it is not genuine. */
  open(sealed: Uint8Array, plaintext: Uint8Array): boolean {
    const nonce = sealed.subarray(0, nonceBytes);
    const ciphertext = sealed.subarray(nonceBytes, sealed.length - macBytes);
    const mac = this.#authenticate(nonce, ciphertext);
    if (!timingSafeEqual(mac, sealed.subarray(sealed.length - macBytes))) return false;
    this.#counterMode.apply(nonce, ciphertext, plaintext);
    return true;
  }

  #freshNonce(): Uint8Array {
    if (this.#noncesUsed === noncesAtOnce) {
      randomFillSync(this.#nonces);
      this.#noncesUsed = 0;
    }
    const start = this.#noncesUsed * nonceBytes;
    this.#noncesUsed += 1;
    return this.#nonces.subarray(start, start + nonceBytes);
  }

  /** In a place that the next call uses again. */
  #authenticate(nonce: Uint8Array, ciphertext: Uint8Array): Buffer {
    this.#oneTimeKey.set(this.#noncePads.update(nonce), macBytes);
    this.#oneTimeMac.compute(ciphertext, this.#oneTimeKey, this.#mac);
    return this.#mac;
  }
}
