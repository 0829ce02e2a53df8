import { createCipheriv } from 'node:crypto';
import { HoldfastError } from '@holdfast/base';
import { type BundledLibraries, bundledLibraries } from './bundled-libraries.ts';

/** AES-256-CTR with one key: encrypts what is plain and decrypts what is encrypted. Serves one call at a time. */
export interface CounterMode {
  /** `into` is as long as `from` and does not overlap it. `nonce` is the first counter block, 16 bytes. */
  apply(nonce: Uint8Array, from: Uint8Array, into: Uint8Array): void;
}

export function createCounterMode(
  key: Uint8Array,
  libraries: BundledLibraries | null = bundledLibraries() ?? null,
): CounterMode {
  return libraries === null ? new NodeCounterMode(key) : new BundledCounterMode(libraries, key);
}

class BundledCounterMode implements CounterMode {
  readonly #openSsl: BundledLibraries;
  readonly #context: unknown;
  readonly #written = new Uint8Array(4);

  constructor(openSsl: BundledLibraries, key: Uint8Array) {
    this.#openSsl = openSsl;
    this.#context = openSsl.EVP_CIPHER_CTX_new();
    const cipher = openSsl.EVP_aes_256_ctr();
    this.#check(openSsl.EVP_CipherInit_ex(this.#context, cipher, null, key, new Uint8Array(16), 1));
  }

  apply(nonce: Uint8Array, from: Uint8Array, into: Uint8Array): void {
    // -1: whether it encrypts or decrypts stays as it is; in counter mode it is the same.
    this.#check(this.#openSsl.EVP_CipherInit_ex(this.#context, null, null, null, nonce, -1));
    this.#check(this.#openSsl.EVP_CipherUpdate(this.#context, into, this.#written, from, from.length));
  }

  #check(result: number): void {
    if (result !== 1) throw new HoldfastError('internal', 'The cipher refused to work.');
  }
}

class NodeCounterMode implements CounterMode {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  apply(nonce: Uint8Array, from: Uint8Array, into: Uint8Array): void {
    into.set(createCipheriv('aes-256-ctr', this.#key, nonce).update(from));
  }
}
