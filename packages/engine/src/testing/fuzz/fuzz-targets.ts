import { HoldfastError } from '@holdfast/base';
import { parsePolynomial } from '../../chunker/polynomial.ts';
import { compress, decompress } from '../../crypto/compression.ts';
import { randomMasterKey } from '../../crypto/master-key.ts';
import { seal } from '../../crypto/seal.ts';
import { decodeConfig, encodeConfig } from '../../format/config.ts';
import { asId } from '../../format/id-codec.ts';
import type { BlobId, PackId } from '../../format/ids.ts';
import { decodeIndexFile, encodeIndexFile } from '../../format/index-file.ts';
import { decodeKeyFile, decodeMasterKey, encodeKeyFile } from '../../format/key-file.ts';
import { decodeLockFile, encodeLockFile } from '../../format/lock-file.ts';
import { decodePackHeader } from '../../format/pack-header.ts';
import { decodeSnapshot, encodeSnapshot } from '../../format/snapshot-file.ts';
import { decodeTree } from '../../format/tree-codec.ts';
import { openBlob } from '../../pack/blob-seal.ts';
import { parsePackHeader } from '../../pack/pack-reader.ts';
import * as samples from './samples.ts';

/** Something that reads bytes which others wrote. */
export interface FuzzTarget {
  readonly name: string;
  readonly samples: readonly Buffer[];
  /** Reads the bytes. A coded error is fine; anything else that is thrown is a finding. */
  feed(bytes: Buffer): void | Promise<void>;
}

const key = randomMasterKey();
const anId = 'a'.repeat(64);

export const fuzzTargets: readonly FuzzTarget[] = [
  document('config', samples.configs, (bytes) => encodeConfig(decodeConfig(bytes))),
  document('index', samples.indexes, (bytes) => encodeIndexFile(decodeIndexFile(bytes, 'index'))),
  document('snapshot', samples.snapshots, (bytes) => encodeSnapshot(decodeSnapshot(bytes, 'snapshot'))),
  document('lock', samples.locks, (bytes) => encodeLockFile(decodeLockFile(bytes))),
  document('key file', samples.keys, (bytes) => encodeKeyFile(decodeKeyFile(bytes))),
  target('master key', samples.masterKeys, (bytes) => decodeMasterKey(bytes)),
  target('tree', samples.trees, (bytes) => decodeTree(bytes)),
  target('chunker polynomial', samples.configs, (bytes) => parsePolynomial(bytes.toString('latin1'))),
  target('pack header', samples.packHeaders, assertHeader),
  target('pack', sealedPacks(), (bytes) => parsePackHeader(key, asId<PackId>(anId), bytes)),
  target('genuine pack with any header', samples.packHeaders, (header) =>
    parsePackHeader(key, asId<PackId>(anId), packOf(header)),
  ),
  target('blob', [seal(key, compress(Buffer.from('text')))], (bytes) => {
    openBlob(key, asId<BlobId>(anId), { sealed: bytes, uncompressedLength: 1000 });
  }),
  target('genuine blob with any frame', frames(), (frame) => {
    openBlob(key, asId<BlobId>(anId), { sealed: seal(key, frame), uncompressedLength: 1000 });
  }),
  target('zstd frame', frames(), (frame) => {
    const bytes = decompress(frame, 5000);
    if (bytes !== undefined && bytes.length > 5000) throw new Error('It is longer than it may be.');
  }),
];

function target(name: string, valid: readonly Buffer[], read: (bytes: Buffer) => unknown): FuzzTarget {
  return {
    name,
    samples: valid,
    feed: (bytes) => {
      try {
        read(bytes);
      } catch (error) {
        if (!isCoded(error)) throw error;
      }
      if ('polluted' in {}) throw new Error('The prototype of all objects was changed.');
    },
  };
}

/** Also: what is read and written again reads the same. */
function document(name: string, valid: readonly Buffer[], rewrite: (bytes: Buffer) => Buffer): FuzzTarget {
  return target(name, valid, (bytes) => {
    const written = rewrite(bytes);
    let again: Buffer;
    try {
      again = rewrite(written);
    } catch (error) {
      throw new Error(`What was read and written cannot be read: ${written}`, { cause: error });
    }
    if (!again.equals(written)) throw new Error(`What was read and written reads otherwise: ${written}`);
  });
}

export function isCoded(error: unknown): boolean {
  return error instanceof HoldfastError && error.code !== 'internal';
}

function assertHeader(bytes: Buffer): void {
  for (const { offset, length } of decodePackHeader(bytes)) {
    if (!Number.isSafeInteger(offset + length)) throw new Error('A blob is beyond all measure.');
  }
}

/** A pack with contents as long as the sample's blobs, and this header, genuinely sealed. */
function packOf(header: Buffer): Buffer {
  const sealed = seal(key, header);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(sealed.length);
  return Buffer.concat([Buffer.alloc(70_150), sealed, length]);
}

function sealedPacks(): Buffer[] {
  return samples.packHeaders.map(packOf).map((pack) => pack.subarray(70_000));
}

function frames(): Buffer[] {
  return [compress(Buffer.from('text')), compress(Buffer.alloc(4000)), compress(Buffer.alloc(100_000))];
}
