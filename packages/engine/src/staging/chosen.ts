import { type ByteString, type FilePath, toByteString } from '../format/byte-string.ts';
import type { RestoreSelection } from '../snapshot/restore-selection.ts';

/** What of a node is restored: all of it, or of a directory only some of its entries, by their names. */
export type Chosen = 'all' | ReadonlyMap<ByteString, Chosen>;

/** Names from a node down to what is chosen in it. */
export type ChosenPath = readonly [FilePath, ...FilePath[]];

type Branch = Map<ByteString, 'all' | Branch>;

/** @param paths undefined for all; one that lies beneath another is a part of that */
export function chosenOf(paths: readonly ChosenPath[] | undefined): Chosen {
  if (paths === undefined) return 'all';
  const top: Branch = new Map();
  for (const path of paths) add(top, path.map(toByteString));
  return top;
}

function add(top: Branch, names: readonly ByteString[]): void {
  let branch = top;
  for (const name of names.slice(0, -1)) {
    const below = branch.get(name) ?? new Map();
    if (below === 'all') return;
    branch.set(name, below);
    branch = below;
  }
  const last = names.at(-1);
  if (last !== undefined) branch.set(last, 'all');
}

/** @returns undefined for what is not chosen, and has nothing chosen in it */
export function chosenAt(top: Chosen, names: readonly ByteString[]): Chosen | undefined {
  let chosen: Chosen | undefined = top;
  for (const name of names) {
    if (chosen === undefined || chosen === 'all') return chosen;
    chosen = chosen.get(name);
  }
  return chosen;
}

/** The same, for paths that begin with that of the node. */
export function selectionOf(chosen: Chosen, nodePath: ByteString): RestoreSelection {
  return (path) => {
    const names = path.slice(nodePath.length).split('/') as ByteString[];
    const found = chosenAt(
      chosen,
      names.filter((name) => name !== ''),
    );
    return { isSelected: found === 'all', mayBeBelow: found !== undefined };
  };
}
