import koffi from 'koffi';

/**
 * OpenSSL and zstd as they are linked into the Node program, which exports their functions to add-ons. Called directly
 * they write into memory that is there already, where `node:crypto` and `node:zlib` make an object, a context and
 * new memory for every call: for small blobs that costs more than the work itself.
 */
export interface BundledLibraries {
  readonly EVP_CIPHER_CTX_new: () => unknown;
  readonly EVP_aes_256_ctr: () => unknown;
  readonly EVP_CipherInit_ex: (
    context: unknown,
    cipher: unknown,
    engine: null,
    key: Uint8Array | null,
    nonce: Uint8Array,
    encrypt: number,
  ) => number;
  readonly EVP_CipherUpdate: (
    context: unknown,
    into: Uint8Array,
    written: Uint8Array,
    from: Uint8Array,
    sizeBytes: number,
  ) => number;
  readonly EVP_MAC_fetch: (libraryContext: null, algorithm: string, properties: null) => unknown;
  readonly EVP_MAC_CTX_new: (mac: unknown) => unknown;
  readonly EVP_MAC_init: (context: unknown, key: Uint8Array, keyBytes: number, parameters: null) => number;
  readonly EVP_MAC_update: (context: unknown, message: Uint8Array, sizeBytes: number) => number;
  readonly EVP_MAC_final: (
    context: unknown,
    into: Uint8Array,
    written: Uint8Array,
    intoBytes: number,
  ) => number;
  /** The same by addresses, which costs half as much: for what runs for every block of a file. */
  readonly macInitAt: (context: number, key: number, keyBytes: number, parameters: 0) => number;
  readonly macUpdateAt: (context: number, message: number, sizeBytes: number) => number;
  readonly macFinalAt: (context: number, into: number, written: number, intoBytes: number) => number;
  readonly ZSTD_createCCtx: () => unknown;
  readonly ZSTD_CCtx_setParameter: (context: unknown, parameter: number, value: number) => number | bigint;
  readonly ZSTD_compress2: ZstdCall;
  readonly ZSTD_createDCtx: () => unknown;
  readonly ZSTD_decompressDCtx: ZstdCall;
  readonly ZSTD_isError: (result: number | bigint) => number;
}

type ZstdCall = (
  context: unknown,
  into: Uint8Array,
  intoBytes: number,
  from: Uint8Array,
  fromBytes: number,
) => number | bigint;

const prototypes: Readonly<Record<keyof BundledLibraries, string>> = {
  EVP_CIPHER_CTX_new: 'void *EVP_CIPHER_CTX_new()',
  EVP_aes_256_ctr: 'void *EVP_aes_256_ctr()',
  EVP_CipherInit_ex: 'int EVP_CipherInit_ex(void *, void *, void *, void *, void *, int)',
  EVP_CipherUpdate: 'int EVP_CipherUpdate(void *, void *, void *, void *, int)',
  EVP_MAC_fetch: 'void *EVP_MAC_fetch(void *, str, str)',
  EVP_MAC_CTX_new: 'void *EVP_MAC_CTX_new(void *)',
  EVP_MAC_init: 'int EVP_MAC_init(void *, void *, size_t, void *)',
  EVP_MAC_update: 'int EVP_MAC_update(void *, void *, size_t)',
  EVP_MAC_final: 'int EVP_MAC_final(void *, void *, void *, size_t)',
  macInitAt: 'int EVP_MAC_init(intptr_t, intptr_t, size_t, intptr_t)',
  macUpdateAt: 'int EVP_MAC_update(intptr_t, intptr_t, size_t)',
  macFinalAt: 'int EVP_MAC_final(intptr_t, intptr_t, intptr_t, size_t)',
  ZSTD_createCCtx: 'void *ZSTD_createCCtx()',
  ZSTD_CCtx_setParameter: 'size_t ZSTD_CCtx_setParameter(void *, int, int)',
  ZSTD_compress2: 'size_t ZSTD_compress2(void *, void *, size_t, void *, size_t)',
  ZSTD_createDCtx: 'void *ZSTD_createDCtx()',
  ZSTD_decompressDCtx: 'size_t ZSTD_decompressDCtx(void *, void *, size_t, void *, size_t)',
  ZSTD_isError: 'uint ZSTD_isError(size_t)',
};

let loaded: BundledLibraries | 'missing' | undefined;

/** undefined where this build of Node does not export them all: everything then goes through Node's own modules. */
export function bundledLibraries(): BundledLibraries | undefined {
  loaded ??= load();
  return loaded === 'missing' ? undefined : loaded;
}

function load(): BundledLibraries | 'missing' {
  try {
    const program = koffi.load(null);
    const functions = Object.entries(prototypes).map(([name, prototype]) => [name, program.func(prototype)]);
    return Object.fromEntries(functions) as unknown as BundledLibraries;
  } catch {
    return 'missing';
  }
}
