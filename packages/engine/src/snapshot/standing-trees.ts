import { setImmediate } from 'node:timers/promises';
import { systemErrorCode, throwIfAborted } from '@holdfast/base';
import { entryNames } from '../filesystem/directory-entries.ts';
import { openDirectoryAt } from '../filesystem/open.ts';
import { inodeOfPrint, isPrintBefore, readPrint, statusPrintBytes } from '../filesystem/status-print.ts';
import type { ByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { BackupContext } from './backup-context.ts';
import { DirectoryRecord } from './directory-record.ts';
import type { TreeSpool } from './tree-spool.ts';

/** What is below a directory that stands as it did, itself included. */
export interface StandingTree {
  readonly files: number;
  readonly bytes: number;
  readonly dirs: number;
}

export type StandingContext = Pick<BackupContext, 'mappedWrites' | 'tasks' | 'trustedBefore'>;

/** After so many entries other work of the process gets its turn. */
const entriesPerTurn = 2048;

/**
 * Tells which directories are wholly as the pass before recorded them: by nothing but the names and statuses of all that
 * is in them, so in a fraction of the time that comparing nodes takes. An entry whose status may have changed without a
 * trace in its times makes its directory count as changed; what then is the same shows by a closer look.
 */
export class StandingTrees {
  readonly #spool: TreeSpool;
  readonly #context: StandingContext;
  readonly #print = Buffer.alloc(statusPrintBytes);
  /** Directories whose parents do not stand: they are asked about once more. */
  readonly #known = new Map<TreeId, StandingTree>();
  #untilTurn = entriesPerTurn;

  constructor(spool: TreeSpool, context: StandingContext) {
    this.#spool = spool;
    this.#context = context;
  }

  /** Undefined if anything in the open directory, or below, may be other than the tree says. */
  async take(directory: number, treeId: TreeId): Promise<StandingTree | undefined> {
    const known = this.#known.get(treeId);
    if (known === undefined) return await this.#look(directory, treeId);
    this.#known.delete(treeId);
    return known;
  }

  async #look(directory: number, treeId: TreeId): Promise<StandingTree | undefined> {
    const bytes = this.#spool.readRecord(treeId);
    if (bytes === undefined) return undefined;
    const record = new DirectoryRecord(bytes);
    const names = entryNames(directory);
    if (!record.hasNames(names)) return undefined;
    for (const [position, name] of names.entries()) {
      if (!this.#isSame(directory, name, { record, position })) return undefined;
      this.#untilTurn -= 1;
      if (this.#untilTurn === 0) await this.#giveTurn();
    }
    return await this.#lookBelow(directory, names, record);
  }

  async #lookBelow(
    directory: number,
    names: readonly ByteString[],
    record: DirectoryRecord,
  ): Promise<StandingTree | undefined> {
    let { files, bytes } = record.own;
    let dirs = 1;
    let isStanding = true;
    const standing: [TreeId, StandingTree][] = [];
    for (const { position, treeId } of record.children()) {
      const below = await this.#lookInto(directory, names[position], treeId);
      if (below === undefined) {
        isStanding = false;
        continue;
      }
      standing.push([treeId, below]);
      files += below.files;
      bytes += below.bytes;
      dirs += below.dirs;
    }
    if (isStanding) return { files, bytes, dirs };
    for (const [treeId, below] of standing) this.#known.set(treeId, below);
    return undefined;
  }

  async #lookInto(
    directory: number,
    name: ByteString | undefined,
    treeId: TreeId,
  ): Promise<StandingTree | undefined> {
    if (name === undefined) return undefined;
    try {
      using below = openDirectoryAt(directory, name);
      return await this.#look(below.number, treeId);
    } catch (error) {
      // A closer look tells what is the matter.
      if (systemErrorCode(error) === undefined) throw error;
      return undefined;
    }
  }

  #isSame(
    directory: number,
    name: ByteString,
    { record, position }: { readonly record: DirectoryRecord; readonly position: number },
  ): boolean {
    const { mappedWrites, trustedBefore } = this.#context;
    const print = this.#print;
    if (trustedBefore === undefined || !readPrint(directory, name, print)) return false;
    if (!record.hasPrint(position, print) || !isPrintBefore(print, trustedBefore)) return false;
    const mapped = mappedWrites?.inodes;
    return mapped === undefined || mapped.size === 0 || !mapped.has(inodeOfPrint(print));
  }

  async #giveTurn(): Promise<void> {
    this.#untilTurn = entriesPerTurn;
    await setImmediate();
    throwIfAborted(this.#context.tasks.signal);
  }
}
