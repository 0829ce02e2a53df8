import type { ByteString } from '../format/byte-string.ts';
import type { Node } from '../format/node.ts';

/** The first name of an inode that has several. */
export interface FirstName {
  /** Names from the root of the restore down to the entry. */
  readonly components: readonly ByteString[];
  /** Resolves when the entry is there with this content (true), or when it could not be restored or was left (false). */
  readonly restored: Promise<boolean>;
}

/** Which names of a snapshot are one inode. Unless names may come again, an inode is forgotten after its last one. */
export class HardLinks {
  readonly #mayComeAgain: boolean;
  readonly #firstNames = new Map<string, FirstName & { remaining: number }>();

  constructor({ mayComeAgain = false }: { readonly mayComeAgain?: boolean } = {}) {
    this.#mayComeAgain = mayComeAgain;
  }

  /** The first name, if an earlier node was the same inode; each node asks once, unless names may come again. */
  find(node: Node): FirstName | undefined {
    const key = keyOf(node);
    const first = this.#firstNames.get(key);
    if (first === undefined) return undefined;
    first.remaining -= 1;
    if (first.remaining <= 0 && !this.#mayComeAgain) this.#firstNames.delete(key);
    return first;
  }

  add(node: Node, first: FirstName): void {
    this.#firstNames.set(keyOf(node), { ...first, remaining: node.links - 1 });
  }
}

/** Directories and pipes carry no number of links; their names are never joined. */
export function hasSeveralNames(node: Node): boolean {
  return node.links > 1 && node.type !== 'dir';
}

function keyOf({ deviceId, inode }: Node): string {
  return `${deviceId}:${inode}`;
}
