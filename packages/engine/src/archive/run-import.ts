import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { TaskGroup, throwIfAborted } from '@holdfast/base';
import { minChunkBytes } from '../chunker/chunk-window.ts';
import { ChunkWindows } from '../chunker/chunk-windows.ts';
import { sha256 } from '../crypto/hash.ts';
import { sourceError } from '../filesystem/system-error.ts';
import { byteStringToText, toByteString } from '../format/byte-string.ts';
import { type FileTime, isBefore } from '../format/file-time.ts';
import type { BlobId } from '../format/ids.ts';
import { contentMemoryBytes, FileSaver } from '../snapshot/file-saver.ts';
import { ProgressCounter } from '../snapshot/progress.ts';
import { WeightedLimiter } from '../workers/weighted-limiter.ts';
import { type ArchiveEntry, nodeOfEntry } from './archive-entry.ts';
import { archiveDamaged, entryRefused, unknownArchive } from './archive-errors.ts';
import { type ArchiveFormat, archiveFormatOf } from './archive-format.ts';
import { LimitGuard } from './archive-limits.ts';
import { type EntryPath, entryPathOf } from './entry-path.ts';
import { EntryTree } from './entry-tree.ts';
import type { ImportArchiveRequest, ImportedArchive } from './import-request.ts';
import { importedArchive } from './imported-archive.ts';
import { KeptContents } from './kept-contents.ts';
import { NodeSpool } from './node-spool.ts';
import { readEntries } from './read-entries.ts';
import { SpoolFile } from './spool-file.ts';

/** What a small file under way takes besides its bytes. */
const leastMemoryBytes = 16 * 1024;
/** What Linux allows a symbolic link. */
const mostTargetBytes = 4095;

/** Runs the import; see `importArchive`. */
export async function runImport(request: ImportArchiveRequest): Promise<ImportedArchive> {
  const format = await archiveFormatOf(request.path);
  if (format === undefined) throw unknownArchive();
  const packedBytes = await sizeOf(request.path);
  using spools = new DisposableStack();
  const nodes = new NodeSpool(spools.use(new SpoolFile(request.directory)));
  const kept = new KeptContents(spools.use(new SpoolFile(request.directory)));
  const limits = new LimitGuard(request.limits, packedBytes);
  const tree = new EntryTree(nodes, () => limits.addEntry());
  const newest = await new ArchiveImport(request, { format, limits, tree, nodes, kept }).run();
  return importedArchive({ request, format, packedBytes, tree, nodes, kept, newest, spools: spools.move() });
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw sourceError(error, toByteString(path));
  }
}

interface ImportParts {
  readonly format: ArchiveFormat;
  readonly limits: LimitGuard;
  readonly tree: EntryTree;
  readonly nodes: NodeSpool;
  readonly kept: KeptContents;
}

/** A file whose place in the tree is found, and whose content comes next. */
interface EnteredFile {
  readonly entry: ArchiveEntry;
  readonly inode: number;
  readonly isKept: boolean;
}

/** Goes through an archive once. Small files are saved while it goes on, large ones before it does. */
class ArchiveImport {
  readonly #parts: ImportParts;
  readonly #request: ImportArchiveRequest;
  readonly #tasks: TaskGroup;
  readonly #saver: FileSaver;
  readonly #progress: ProgressCounter;
  readonly #memory = new WeightedLimiter(contentMemoryBytes);
  #newest: FileTime | undefined;
  #entries = 0;

  constructor(request: ImportArchiveRequest, parts: ImportParts) {
    const { writer, polynomial, windows = new ChunkWindows(polynomial) } = request;
    this.#request = request;
    this.#parts = parts;
    this.#tasks = new TaskGroup(request);
    this.#progress = new ProgressCounter(request.progress);
    const { signal } = this.#tasks;
    this.#saver = new FileSaver({ writer, windows, progress: this.#progress, signal });
  }

  /** Answers the newest time in the archive. */
  async run(): Promise<FileTime> {
    const { signal } = this.#tasks;
    try {
      const { format, limits } = this.#parts;
      for await (const entry of readEntries({ path: this.#request.path, format, limits, signal })) {
        throwIfAborted(signal);
        await this.#take(entry);
        this.#entries += 1;
      }
    } catch (error) {
      this.#tasks.fail(error);
    }
    await this.#tasks.settled();
    throwIfAborted(signal);
    return this.#newest ?? { seconds: 0, nanoseconds: 0 };
  }

  async #take(entry: ArchiveEntry): Promise<void> {
    const { kind, modifiedAt } = entry;
    const path = entryPathOf(entry.path);
    if (path.length === 0 && kind !== 'dir') throw entryRefused(entry.path, 'it would replace the top');
    if (this.#newest === undefined || isBefore(this.#newest, modifiedAt)) this.#newest = modifiedAt;
    if (kind === 'link') this.#link(entry, path);
    else if (kind === 'file') await this.#saveFile(entry, path);
    else {
      if (kind === 'symlink') requireTarget(entry);
      const { tree, nodes } = this.#parts;
      const number = tree.enter(path, kind);
      const inode = tree.newInode(this.#entries);
      tree.setNodeOffset(inode, nodes.addNode(nodeOfEntry(entry, kind, null), undefined));
      tree.setInode(number, inode);
    }
  }

  /**
   * What stands at the path of a file is replaced by a later file, as tar replaces it. A symbolic link may have several
   * names too: the entry itself is shared, and where it points is not looked at.
   */
  #link(entry: ArchiveEntry, path: EntryPath): void {
    const { tree } = this.#parts;
    const subject = { entry: entry.path, what: 'the target of its hard link' };
    const target = tree.find(entryPathOf(entry.linkTarget, subject));
    const kind = target === undefined ? 'dir' : tree.kindOf(target);
    const inode = target === undefined || kind === 'dir' ? undefined : tree.inodeOf(target);
    if (inode === undefined) {
      const text = byteStringToText(entry.linkTarget);
      throw entryRefused(
        entry.path,
        `it is a hard link to "${text}", which is no earlier file or symbolic link of the archive`,
      );
    }
    const number = tree.enter(path, kind);
    if (number !== target) tree.setInode(number, inode);
    if (kind === 'file') this.#progress.addFile(byteStringToText(entry.path));
  }

  async #saveFile(entry: ArchiveEntry, path: EntryPath): Promise<void> {
    const { tree, kept } = this.#parts;
    const number = tree.enter(path, 'file');
    const inode = tree.newInode(this.#entries);
    tree.setInode(number, inode);
    const isKept = kept.begin(inode, { depth: path.length, sizeBytes: entry.sizeBytes });
    const file = { entry, inode, isKept };
    if (entry.sizeBytes <= minChunkBytes) await this.#saveSmall(file);
    else await this.#saveLarge(file);
  }

  /** A file that is one chunk: its blob's id is the SHA-256 of its content. */
  async #saveSmall({ entry, inode, isKept }: EnteredFile): Promise<void> {
    const bytes = await gather(entry);
    if (isKept) this.#parts.kept.add(inode, bytes);
    if (bytes.length === 0) {
      this.#finish(entry, inode, [], sha256(bytes));
      return;
    }
    const weight = Math.max(bytes.length, leastMemoryBytes);
    await this.#memory.acquire(weight, this.#tasks);
    const saving = this.#saver.saveBlob('data', bytes).finally(() => this.#memory.release(weight));
    void this.#tasks.start(saving.then((id) => this.#finish(entry, inode, [id], id)));
  }

  async #saveLarge({ entry, inode, isKept }: EnteredFile): Promise<void> {
    const hash = createHash('sha256');
    const { kept } = this.#parts;
    const { content, size } = await this.#saver.saveStream(
      watched(entry.content, (piece) => {
        hash.update(piece);
        if (isKept) kept.add(inode, piece);
      }),
    );
    requireWhole(entry, size);
    this.#finish(entry, inode, content, hash.digest('hex'));
  }

  #finish(entry: ArchiveEntry, inode: number, content: readonly BlobId[], digest: string): void {
    const { tree, nodes } = this.#parts;
    tree.setNodeOffset(inode, nodes.addNode(nodeOfEntry(entry, 'file', content), digest));
    this.#progress.addFile(byteStringToText(entry.path));
  }
}

/** Where it points is nobody's business here; but it has to be something that a link can have. */
function requireTarget({ path, linkTarget }: ArchiveEntry): void {
  if (linkTarget === '') throw entryRefused(path, 'its target is empty');
  if (linkTarget.includes('\0')) throw entryRefused(path, 'its target has a zero byte');
  if (linkTarget.length > mostTargetBytes) throw entryRefused(path, 'its target is too long');
}

async function gather(entry: ArchiveEntry): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(entry.sizeBytes);
  let filled = 0;
  for await (const piece of entry.content) {
    if (filled + piece.length <= bytes.length) bytes.set(piece, filled);
    filled += piece.length;
  }
  requireWhole(entry, filled);
  return bytes;
}

function requireWhole({ path, sizeBytes }: ArchiveEntry, readBytes: number): void {
  if (readBytes === sizeBytes) return;
  throw archiveDamaged(`it has ${readBytes} bytes and not ${sizeBytes}`, { entry: path });
}

async function* watched(
  pieces: AsyncIterable<Uint8Array>,
  onPiece: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) {
    onPiece(piece);
    yield piece;
  }
}
