import { TaskGroup, throwIfAborted } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import type { ByteString } from '../format/byte-string.ts';
import { asId } from '../format/id-codec.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { NodeEncoder } from '../format/node-encoder.ts';
import { TreeEncoder } from '../format/tree-codec.ts';
import { IdTable } from '../index/id-table.ts';
import { WeightedLimiter } from '../workers/weighted-limiter.ts';
import { madeDirectory } from './archive-entry.ts';
import type { SavedArchiveTree } from './import-request.ts';
import type { ImportedParts } from './imported-parts.ts';
import { Turns } from './turns.ts';

/** Of trees that are on their way to the repository. */
const treeMemoryBytes = 32 * 1024 * 1024;
const topName = 'data' as ByteString;

/** Saves an entry, and all that is beneath it, as the one entry `data` of a tree. */
export async function saveEntries(parts: ImportedParts, number: number): Promise<SavedArchiveTree> {
  const tasks = new TaskGroup(parts.request);
  try {
    return await new EntrySaving(parts, tasks).save(number);
  } catch (error) {
    tasks.fail(error);
    throw error;
  } finally {
    await tasks.settled();
    throwIfAborted(tasks.signal);
  }
}

/** Goes from the last entry to the first: so whatever is in a directory is done before it. */
class EntrySaving {
  readonly #parts: ImportedParts;
  readonly #tasks: TaskGroup;
  readonly #turns: Turns;
  readonly #encoder = new NodeEncoder('utc');
  readonly #memory = new WeightedLimiter(treeMemoryBytes);
  /** The trees of directories, and by the number of each directory which one is its. */
  readonly #ids = new IdTable();
  readonly #treeOf: Uint32Array;
  #files = 0;
  #bytes = 0;

  constructor(parts: ImportedParts, tasks: TaskGroup) {
    this.#parts = parts;
    this.#tasks = tasks;
    this.#turns = new Turns(tasks);
    this.#treeOf = new Uint32Array(parts.tree.entryCount);
  }

  async save(top: number): Promise<SavedArchiveTree> {
    const { tree } = this.#parts;
    const isBeneath = this.#entriesBeneath(top);
    for (let number = tree.entryCount - 1; number >= top; number -= 1) {
      if (isBeneath[number] === 0 || tree.kindOf(number) !== 'dir') continue;
      this.#treeOf[number] = this.#ids.add(await this.#saveDirectory(number));
    }
    const encoder = new TreeEncoder(this.#encoder);
    encoder.add(this.#nodeOf(top, topName));
    const treeId = await this.#saveTree(encoder);
    return { treeId, files: this.#files, bytes: this.#bytes };
  }

  /** Marks by number. What is in a directory has a higher number than it. */
  #entriesBeneath(top: number): Uint8Array {
    const { tree } = this.#parts;
    const marks = new Uint8Array(tree.entryCount);
    marks[top] = 1;
    for (let number = top + 1; number < tree.entryCount; number += 1) {
      marks[number] = marks[tree.parentOf(number) ?? number] ?? 0;
    }
    return marks;
  }

  async #saveDirectory(number: number): Promise<TreeId> {
    const { tree } = this.#parts;
    const children = [...tree.childrenOf(number)].map((child) => ({ child, name: tree.nameOf(child) }));
    children.sort((a, b) => (a.name < b.name ? -1 : 1));
    const encoder = new TreeEncoder(this.#encoder);
    for (const { child, name } of children) {
      await this.#turns.step();
      encoder.add(this.#nodeOf(child, name));
    }
    return await this.#saveTree(encoder);
  }

  #nodeOf(number: number, name: ByteString): Node {
    const { tree, nodes, newest } = this.#parts;
    const inode = tree.inodeOf(number);
    const node = inode === undefined ? madeDirectory(newest) : nodes.nodeAt(tree.nodeOffsetOf(inode));
    if (node.type === 'dir') {
      return { ...node, name, subtree: asId<TreeId>(this.#ids.idAt(this.#treeOf[number] ?? 0)) };
    }
    if (node.type === 'file') {
      this.#files += 1;
      this.#bytes += node.size;
    }
    const links = inode === undefined ? 0 : tree.linksOf(inode);
    if (inode === undefined || links < 2) return { ...node, name };
    return { ...node, name, links, inode: BigInt(inode) + 1n };
  }

  /** A tree's id is the hash of its text: nobody need wait until it is saved. */
  async #saveTree(encoder: TreeEncoder): Promise<TreeId> {
    const { signal } = this.#tasks;
    const plaintext = encoder.finish();
    await this.#memory.acquire(plaintext.length, { signal });
    const saving = this.#parts.request.writer.saveBlob('tree', plaintext, { signal });
    void this.#tasks.start(saving.finally(() => this.#memory.release(plaintext.length)));
    return asId<TreeId>(sha256(plaintext));
  }
}
