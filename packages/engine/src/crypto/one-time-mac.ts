import { createRequire } from 'node:module';
import { HoldfastError } from '@holdfast/base';
import koffi from 'koffi';
import { NativeMemory } from '../filesystem/native-memory.ts';
import { type BundledLibraries, bundledLibraries } from './bundled-libraries.ts';

const tagBytes = 16;

/** Poly1305 of whole messages. Serves one call at a time. */
export interface OneTimeMac {
  /** `key` has 32 bytes: r, and the pad that is added at the end. `tag` gets 16 bytes. */
  compute(message: Uint8Array, key: Uint8Array, tag: Uint8Array): void;
  /** One tag for each message of a row of them; the last one may be shorter. */
  computeEach(messages: MessageRow, key: NativeMemory, tags: NativeMemory): void;
}

/** Messages of the same length, one behind the other. */
export interface MessageRow {
  readonly memory: NativeMemory;
  readonly lengthBytes: number;
  readonly messageBytes: number;
}

export function createOneTimeMac(
  libraries: BundledLibraries | null = bundledLibraries() ?? null,
): OneTimeMac {
  return libraries === null ? new SodiumOneTimeMac() : new BundledOneTimeMac(libraries);
}

class BundledOneTimeMac implements OneTimeMac {
  readonly #openSsl: BundledLibraries;
  readonly #context: unknown;
  readonly #contextAddress: number;
  readonly #written = new NativeMemory(8);

  constructor(openSsl: BundledLibraries) {
    this.#openSsl = openSsl;
    const context = openSsl.EVP_MAC_CTX_new(openSsl.EVP_MAC_fetch(null, 'POLY1305', null));
    if (context === null) throw refused();
    this.#context = context;
    this.#contextAddress = Number(koffi.address(context));
  }

  compute(message: Uint8Array, key: Uint8Array, tag: Uint8Array): void {
    const openSsl = this.#openSsl;
    const isDone =
      openSsl.EVP_MAC_init(this.#context, key, key.length, null) === 1 &&
      openSsl.EVP_MAC_update(this.#context, message, message.length) === 1 &&
      openSsl.EVP_MAC_final(this.#context, tag, this.#written.bytes, tag.length) === 1;
    if (!isDone) throw refused();
  }

  computeEach(
    { memory, lengthBytes, messageBytes }: MessageRow,
    key: NativeMemory,
    tags: NativeMemory,
  ): void {
    const { macInitAt, macUpdateAt, macFinalAt } = this.#openSsl;
    const context = this.#contextAddress;
    let tag = tags.address;
    for (let at = 0; at < lengthBytes; at += messageBytes) {
      const isDone =
        macInitAt(context, key.address, key.bytes.length, 0) === 1 &&
        macUpdateAt(context, memory.address + at, Math.min(messageBytes, lengthBytes - at)) === 1 &&
        macFinalAt(context, tag, this.#written.address, tagBytes) === 1;
      if (!isDone) throw refused();
      tag += tagBytes;
    }
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

  computeEach(
    { memory, lengthBytes, messageBytes }: MessageRow,
    key: NativeMemory,
    tags: NativeMemory,
  ): void {
    let tag = 0;
    for (let at = 0; at < lengthBytes; at += messageBytes) {
      const message = memory.bytes.subarray(at, Math.min(at + messageBytes, lengthBytes));
      this.compute(message, key.bytes, tags.bytes.subarray(tag, tag + tagBytes));
      tag += tagBytes;
    }
  }
}

function refused(): HoldfastError {
  return new HoldfastError('internal', 'OpenSSL refused to compute Poly1305.');
}
