import type { Abortable } from '@holdfast/base';
import type { Backend, ListedFile } from '../backend/backend.ts';
import { compress, decompress } from '../crypto/compression.ts';
import { sha256 } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { seal, unseal } from '../crypto/seal.ts';
import { frameContentBytes } from '../crypto/zstd-frame.ts';
import { asId } from '../format/id-codec.ts';
import type { IndexId, LockId, SnapshotId } from '../format/ids.ts';
import { damaged } from '../format/json.ts';

/** The kinds of files that hold one JSON document, compressed and sealed. */
export interface SealedFileIds {
  index: IndexId;
  lock: LockId;
  snapshot: SnapshotId;
}

export type SealedFileKind = keyof SealedFileIds;

/** The first byte of the plaintext: JSON as it is, or a version of the encoding. */
const openingBrackets: readonly (number | undefined)[] = ['[', '{'].map((bracket) => bracket.charCodeAt(0));
const zstdEncoding = 2;

const maxDocumentBytes = 512 * 1024 * 1024;

/** Reads and writes files by the design document's section "Unpacked Data Format". */
export class SealedFiles {
  readonly #backend: Backend;
  readonly #key: MasterKey;

  constructor(backend: Backend, key: MasterKey) {
    this.#backend = backend;
    this.#key = key;
  }

  /**
   * The JSON document in the file; undefined if there is no such file.
   * @throws HoldfastError `repository-damaged` when it is not what was written under this name
   */
  async load<Kind extends SealedFileKind>(
    kind: Kind,
    id: SealedFileIds[Kind],
    { signal }: Abortable = {},
  ): Promise<Buffer | undefined> {
    const what = `${kind} ${id}`;
    const file = await this.#backend.load({ kind, id }, { signal });
    if (file === undefined) return undefined;
    if (sha256(file) !== id) throw damaged(what, 'its contents do not match its name');
    const encoded = unseal(this.#key, file);
    if (encoded === undefined) throw damaged(what, 'it does not prove to be genuine');
    if (openingBrackets.includes(encoded[0])) return encoded;
    if (encoded[0] !== zstdEncoding) throw damaged(what, 'its encoding is unknown');
    const frame = encoded.subarray(1);
    // Memory is taken for as much as may come.
    const mostBytes = Math.min(frameContentBytes(frame) ?? maxDocumentBytes, maxDocumentBytes);
    const document = decompress(frame, mostBytes);
    if (document === undefined) throw damaged(what, 'it cannot be decompressed');
    return document;
  }

  /** Writes a JSON document. When it resolves, the file is on stable storage. */
  async save<Kind extends SealedFileKind>(
    kind: Kind,
    document: Buffer,
    { signal }: Abortable = {},
  ): Promise<SealedFileIds[Kind]> {
    const file = seal(this.#key, Buffer.concat([Buffer.of(zstdEncoding), compress(document)]));
    const id = asId<SealedFileIds[Kind]>(sha256(file));
    await this.#backend.save({ kind, id }, [file], { signal });
    return id;
  }

  /** False if there was none. */
  async remove<Kind extends SealedFileKind>(
    kind: Kind,
    id: SealedFileIds[Kind],
    { signal }: Abortable = {},
  ): Promise<boolean> {
    return await this.#backend.remove({ kind, id }, { signal });
  }

  async list<Kind extends SealedFileKind>(
    kind: Kind,
    { signal }: Abortable = {},
  ): Promise<(ListedFile & { readonly id: SealedFileIds[Kind] })[]> {
    const files: (ListedFile & { readonly id: SealedFileIds[Kind] })[] = [];
    for await (const { id, sizeBytes } of this.#backend.list(kind, { signal })) {
      files.push({ id: asId<SealedFileIds[Kind]>(id), sizeBytes });
    }
    return files;
  }
}
