import { constants, type ZstdOptions, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { systemErrorCode } from '@holdfast/base';
import { type BundledLibraries, bundledLibraries } from './bundled-libraries.ts';

type ZstdParameters = Readonly<Record<number, number>>;

/**
 * Between zstd's levels 1 and 2 in size, and nearly as fast as level 1: its fast strategy with a hash table that fits
 * the nearest caches, looking at every position. Measured against stock restic's default, see
 * docs/decisions/0004-zstd-parameters.md.
 */
export const zstdParameters: ZstdParameters = {
  [constants.ZSTD_c_compressionLevel]: 1,
  [constants.ZSTD_c_strategy]: constants.ZSTD_fast,
  [constants.ZSTD_c_windowLog]: 20,
  [constants.ZSTD_c_hashLog]: 15,
  [constants.ZSTD_c_minMatch]: 6,
  [constants.ZSTD_c_targetLength]: 0,
};

/**
 * What compresses to less than this part of itself is repetitive: databases, logs, JSON. Shorter matches make it
 * smaller still and cost no time there; elsewhere they cost a quarter more.
 */
const repetitiveBelow = 1 / 4;
const repetitiveParameters: ZstdParameters = { ...zstdParameters, [constants.ZSTD_c_minMatch]: 5 };

function isRepetitive(frameLength: number, plaintextLength: number): boolean {
  return frameLength !== -1 && frameLength < plaintextLength * repetitiveBelow;
}

/**
 * Compresses and decompresses whole frames into memory that is there already. Serves one call at a time.
 * How well one frame compressed decides the parameters of the next: neighbours are alike.
 */
export interface ZstdCodec {
  /** Writes one frame to the start of `into`; returns its length, or -1 if it does not fit. */
  compress(plaintext: Uint8Array, into: Uint8Array): number;
  /** Writes the contents to the start of `into`; returns their length, or -1 if it is no frame or does not fit. */
  decompress(frame: Uint8Array, into: Uint8Array): number;
}

/** The most that a frame of that much plaintext takes. */
export function frameBoundBytes(sizeBytes: number): number {
  return sizeBytes + (sizeBytes >> 7) + 512;
}

export function createZstdCodec(libraries: BundledLibraries | null = bundledLibraries() ?? null): ZstdCodec {
  return libraries === null ? new NodeZstdCodec() : new BundledZstdCodec(libraries);
}

class BundledZstdCodec implements ZstdCodec {
  readonly #zstd: BundledLibraries;
  readonly #compression: unknown;
  readonly #decompression: unknown;
  #repetitive = false;

  constructor(zstd: BundledLibraries) {
    this.#zstd = zstd;
    this.#compression = zstd.ZSTD_createCCtx();
    this.#decompression = zstd.ZSTD_createDCtx();
    this.#set(zstdParameters);
  }

  compress(plaintext: Uint8Array, into: Uint8Array): number {
    const length = this.#lengthOf(
      this.#zstd.ZSTD_compress2(this.#compression, into, into.length, plaintext, plaintext.length),
    );
    const repetitive = isRepetitive(length, plaintext.length);
    if (repetitive !== this.#repetitive) this.#set(repetitive ? repetitiveParameters : zstdParameters);
    this.#repetitive = repetitive;
    return length;
  }

  #set(parameters: ZstdParameters): void {
    for (const [parameter, value] of Object.entries(parameters)) {
      this.#zstd.ZSTD_CCtx_setParameter(this.#compression, Number(parameter), value);
    }
  }

  decompress(frame: Uint8Array, into: Uint8Array): number {
    return this.#lengthOf(
      this.#zstd.ZSTD_decompressDCtx(this.#decompression, into, into.length, frame, frame.length),
    );
  }

  #lengthOf(result: number | bigint): number {
    return this.#zstd.ZSTD_isError(result) ? -1 : Number(result);
  }
}

class NodeZstdCodec implements ZstdCodec {
  #repetitive = false;

  compress(plaintext: Uint8Array, into: Uint8Array): number {
    const options: ZstdOptions & { readonly pledgedSrcSize: number } = {
      chunkSize: frameBoundBytes(plaintext.length),
      params: this.#repetitive ? repetitiveParameters : zstdParameters,
      pledgedSrcSize: plaintext.length,
    };
    const frame = zstdCompressSync(plaintext, options);
    this.#repetitive = isRepetitive(frame.length, plaintext.length);
    return put(frame, into);
  }

  decompress(frame: Uint8Array, into: Uint8Array): number {
    try {
      const options = {
        chunkSize: Math.max(1024, into.length + 64),
        maxOutputLength: Math.max(1, into.length),
      };
      return put(zstdDecompressSync(frame, options), into);
    } catch (error) {
      if (isZstdDamage(error)) return -1;
      throw error;
    }
  }
}

function put(bytes: Buffer, into: Uint8Array): number {
  if (bytes.length > into.length) return -1;
  into.set(bytes);
  return bytes.length;
}

/** True for what `node:zlib` throws of bytes that are no frame, or of contents longer than allowed. */
export function isZstdDamage(error: unknown): boolean {
  const code = systemErrorCode(error) ?? '';
  return code === 'ERR_BUFFER_TOO_LARGE' || code === 'Z_BUF_ERROR' || code.startsWith('ZSTD_error_');
}
