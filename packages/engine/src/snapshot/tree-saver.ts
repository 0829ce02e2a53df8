import { throwIfAborted } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import { ByteWriter } from '../format/byte-writer.ts';
import type { EncodedNode } from '../format/encoded-node.ts';
import type { TreeId } from '../format/ids.ts';
import type { NodeHead } from '../format/node-encoder.ts';
import type { BackupContext } from './backup-context.ts';
import type { DirectoryRecordDraft } from './directory-record.ts';
import { type EncodedHead, ParentTree } from './parent-tree.ts';
import type { PendingTree, TreeEntry } from './pending-tree.ts';
import { withSubtree } from './source-node.ts';

/** Takes what was saved, in the order of names. */
export interface TreeSink {
  push(entry: TreeEntry): void;
}

/** How an entry of the source is called in the snapshot, and the directory of the parent backup that it is in. */
export interface Identity {
  readonly name: ByteString;
  readonly parent: ParentTree;
  /** Takes in what is seen of it, where a later pass may need that. */
  readonly draft?: DirectoryRecordDraft | undefined;
}

/** A directory whose entries are saved, or on their way. */
export interface WalkedDirectory {
  readonly head: NodeHead;
  readonly tree: PendingTree;
  readonly before: DirectoryBefore;
}

export interface FinishedTree {
  readonly treeId: TreeId | Promise<TreeId>;
}

/** What the parent backup has of a directory. */
export interface DirectoryBefore {
  /** The same node, written already: only its tree may have changed. */
  readonly encoded?: EncodedNode;
  readonly isNew: boolean;
  readonly tree: ParentTree;
}

/** Saves the trees of directories, and knows what the parent backup has of them. */
export class TreeSaver {
  readonly #context: BackupContext;
  readonly #head = new ByteWriter();

  constructor(context: BackupContext) {
    this.#context = context;
  }

  /** Good until the next call. */
  encode(node: NodeHead): EncodedHead {
    this.#head.clear();
    this.#context.encoder.writeHead(this.#head, node);
    return { node, written: this.#head };
  }

  /**
   * Saves a tree as soon as all of its nodes are there; then the directory's node has its subtree. Answers that, or the
   * promise of it, in an object so that nobody waits for it.
   */
  async finish({ head, tree, before }: WalkedDirectory, into: TreeSink): Promise<FinishedTree> {
    const { openTrees, progress, tally, tasks } = this.#context;
    progress.tell();
    if (before.tree.treeId !== undefined && tree.isWholeOf(before.tree)) {
      tally.addDir('unmodified');
      into.push(before.encoded ?? withSubtree(head, before.tree.treeId));
      return { treeId: before.tree.treeId };
    }
    await openTrees.acquire(1, { signal: tasks.signal });
    const saving = tasks.start(this.#saveTree(tree, before).finally(() => openTrees.release(1)));
    into.push(saving.then((treeId) => withSubtree(head, treeId)));
    return { treeId: saving };
  }

  /** What the parent backup has of the directory with this head. */
  async directoryBefore(head: NodeHead, parent: ParentTree, path: ByteString): Promise<DirectoryBefore> {
    const kept = parent.keepDirectory(this.encode(head));
    if (kept !== undefined) {
      return { encoded: kept.encoded, isNew: false, tree: await this.parentTree(kept.subtree, path) };
    }
    const previous = parent.find(head.name);
    const isNew = previous?.type !== 'dir';
    return { isNew, tree: await this.parentTree(isNew ? undefined : previous.subtree, path) };
  }

  /** A directory of the parent backup; an empty one where there was none, or (with a warning) none can be read. */
  async parentTree(treeId: TreeId | undefined, path: ByteString): Promise<ParentTree> {
    const { parentTrees, tasks, warnings } = this.#context;
    const warn = (error: unknown): void =>
      warnings.addFailure(
        path,
        'the backup before this one could not be read here; all of it is read again',
        error,
      );
    if (treeId === undefined) return new ParentTree();
    try {
      const bytes = await parentTrees.takeBytes(treeId);
      return new ParentTree({ treeId, bytes, trees: parentTrees, onDamage: warn });
    } catch (error) {
      throwIfAborted(tasks.signal);
      warn(error);
      return new ParentTree();
    }
  }

  async #saveTree(tree: PendingTree, before: DirectoryBefore): Promise<TreeId> {
    const plaintext = await tree.finish();
    await this.#context.aside?.over;
    const subtree = await this.#context.saver.saveBlob('tree', plaintext);
    if (before.isNew) this.#context.tally.addDir('new');
    else this.#context.tally.addDir(before.tree.treeId === subtree ? 'unmodified' : 'changed');
    return subtree;
  }
}
