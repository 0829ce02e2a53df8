import { type Abortable, throwIfAborted } from '@holdfast/base';
import { sha256 } from '../../crypto/hash.ts';
import type {
  Backend,
  ByteRange,
  FileName,
  ListedFile,
  ListedFileKind,
  ListOptions,
  LoadOptions,
  TransferOptions,
} from '../backend.ts';
import { CacheDirectory, type CachedFile, type CachedKind, cachedKinds } from './cache-directory.ts';
import { ForwardingBackend } from './forwarding-backend.ts';

export interface MetadataCacheOptions {
  /** Of this repository alone. Made when the first file is kept; may be deleted at any time. */
  readonly directory: string;
}

/**
 * Keeps indexes, snapshots and whole packs that are read as metadata (`isMetadata`) on the local disk, as they are in
 * the repository: still encrypted. What is read from there was checked against its name by this process.
 *
 * Nothing depends on it: a file that is damaged, cut short or gone is read from the repository; a disk that is full or
 * read-only makes it keep nothing more. What the repository no longer lists, or nobody read for a month, is removed.
 */
export function withMetadataCache(inner: Backend, { directory }: MetadataCacheOptions): Backend {
  return new MetadataCache(inner, new CacheDirectory(directory));
}

class MetadataCache extends ForwardingBackend {
  readonly #directory: CacheDirectory;
  /** Files on the local disk that this process wrote or checked, and their sizes in bytes. */
  readonly #sound = new Map<string, number>();
  /** Packs that are being checked or fetched: whether they are sound then. */
  readonly #fetching = new Map<string, Promise<boolean>>();

  constructor(inner: Backend, directory: CacheDirectory) {
    super(inner);
    this.#directory = directory;
  }

  override async save(
    file: FileName,
    parts: readonly Uint8Array[],
    options?: TransferOptions,
  ): Promise<void> {
    await this.inner.save(file, parts, options);
    if (isCached(file, options)) await this.#keep(file, parts);
  }

  override async load(file: FileName, options?: LoadOptions): Promise<Buffer | undefined> {
    throwIfAborted(options?.signal);
    if (!isCached(file, options)) return await this.inner.load(file, options);
    const cached = await this.#readSound(file);
    if (cached !== undefined) return cached;
    const contents = await this.inner.load(file, options);
    if (contents !== undefined && sha256(contents) === file.id) await this.#keep(file, [contents]);
    return contents;
  }

  override async loadRange(
    file: FileName,
    range: ByteRange,
    options?: LoadOptions,
  ): Promise<Buffer | undefined> {
    throwIfAborted(options?.signal);
    const cached = isCached(file, options) ? await this.#readRange(file, range, options) : undefined;
    return cached ?? (await this.inner.loadRange(file, range, options));
  }

  override async remove(file: FileName, options?: Abortable): Promise<boolean> {
    const wasThere = await this.inner.remove(file, options);
    if (file.kind !== 'config' && isCachedKind(file.kind)) await this.#drop({ kind: file.kind, id: file.id });
    return wasThere;
  }

  override async *list(kind: ListedFileKind, options?: ListOptions): AsyncIterable<ListedFile> {
    if (!isCachedKind(kind) || options?.after !== undefined) {
      yield* this.inner.list(kind, options);
      return;
    }
    const gone = new Set(await this.#directory.ids(kind));
    for await (const file of this.inner.list(kind, options)) {
      gone.delete(file.id);
      yield file;
    }
    for (const id of gone) await this.#drop({ kind, id });
  }

  async #readRange(
    file: CachedFile,
    range: ByteRange,
    options: TransferOptions | undefined,
  ): Promise<Buffer | undefined> {
    if (!(await this.#isOnDisk(file, options))) return undefined;
    const sizeBytes = this.#sound.get(file.id) ?? 0;
    const cached = await this.#directory.readRange(file, range);
    if (cached?.length === Math.max(0, Math.min(range.length, sizeBytes - range.offset))) return cached;
    await this.#drop(file);
    return undefined;
  }

  /** Sees to it that the pack is on the local disk, and sound; false where it cannot be. */
  async #isOnDisk(file: CachedFile, options: TransferOptions | undefined): Promise<boolean> {
    if (this.#sound.has(file.id)) return true;
    const underWay = this.#fetching.get(file.id);
    if (underWay !== undefined) return await underWay;
    const fetching = this.#fetch(file, options).finally(() => this.#fetching.delete(file.id));
    this.#fetching.set(file.id, fetching);
    return await fetching;
  }

  /** Never rejects: whoever waits for it may have another signal, and reads for itself then. */
  async #fetch(file: CachedFile, options: TransferOptions | undefined): Promise<boolean> {
    if ((await this.#readSound(file)) !== undefined) return true;
    if (!this.#directory.isWritable) return false;
    try {
      await this.load(file, options);
    } catch {
      return false;
    }
    return this.#sound.has(file.id);
  }

  async #readSound(file: CachedFile): Promise<Buffer | undefined> {
    const contents = await this.#directory.read(file);
    if (contents === undefined) return undefined;
    if (sha256(contents) !== file.id) {
      await this.#drop(file);
      return undefined;
    }
    this.#sound.set(file.id, contents.length);
    return contents;
  }

  async #keep(file: CachedFile, parts: readonly Uint8Array[]): Promise<void> {
    const sizeBytes = parts.reduce((total, part) => total + part.length, 0);
    if (await this.#directory.write(file, parts)) this.#sound.set(file.id, sizeBytes);
  }

  async #drop(file: CachedFile): Promise<void> {
    this.#sound.delete(file.id);
    await this.#directory.remove(file);
  }
}

function isCachedKind(kind: FileName['kind']): kind is CachedKind {
  return (cachedKinds as readonly string[]).includes(kind);
}

function isCached(file: FileName, options: TransferOptions | undefined): file is CachedFile {
  return isCachedKind(file.kind) && (file.kind !== 'data' || options?.isMetadata === true);
}
