import { createRequire } from 'node:module';
import { HoldfastError } from '@holdfast/base';
import { type BundledLibraries, bundledLibraries } from './bundled-libraries.ts';

/** Poly1305 of whole messages. Serves one call at a time. */
export interface OneTimeMac {
  /** `key` has 32 bytes: r, and the pad that is added at the end. `tag` gets 16 bytes. */
  compute(message: Uint8Array, key: Uint8Array, tag: Uint8Array): void;
}

export function createOneTimeMac(
  libraries: BundledLibraries | null = bundledLibraries() ?? null,
): OneTimeMac {
  return libraries === null ? new SodiumOneTimeMac() : new BundledOneTimeMac(libraries);
}

class BundledOneTimeMac implements OneTimeMac {
  readonly #openSsl: BundledLibraries;
  readonly #context: unknown;
  readonly #written = new Uint8Array(8);

  constructor(openSsl: BundledLibraries) {
    this.#openSsl = openSsl;
    this.#context = openSsl.EVP_MAC_CTX_new(openSsl.EVP_MAC_fetch(null, 'POLY1305', null));
    if (this.#context === null) throw refused();
  }

  compute(message: Uint8Array, key: Uint8Array, tag: Uint8Array): void {
    const openSsl = this.#openSsl;
    const isDone =
      openSsl.EVP_MAC_init(this.#context, key, key.length, null) === 1 &&
      openSsl.EVP_MAC_update(this.#context, message, message.length) === 1 &&
      openSsl.EVP_MAC_final(this.#context, tag, this.#written, tag.length) === 1;
    if (!isDone) throw refused();
  }
}

interface Sodium {
  crypto_onetimeauth(tag: Uint8Array, message: Uint8Array, key: Uint8Array): void;
}

class SodiumOneTimeMac implements OneTimeMac {
  /** Loaded only where it is needed: that takes longer than most commands' own work. */
  readonly #sodium = createRequire(import.meta.url)('sodium-native') as Sodium;

  compute(message: Uint8Array, key: Uint8Array, tag: Uint8Array): void {
    this.#sodium.crypto_onetimeauth(tag, message, key);
  }
}

function refused(): HoldfastError {
  return new HoldfastError('internal', 'OpenSSL refused to compute Poly1305.');
}
