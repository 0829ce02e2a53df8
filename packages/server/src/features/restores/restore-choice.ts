import { componentsOfPart, type SealedPart } from '@holdfast/protocol';

/** What of a backup is restored: all that neither rules out. */
export interface RestoreChoice {
  /** Null: of all. */
  readonly components: readonly string[] | null;
  /** Null: all files. */
  readonly paths: readonly ChosenPath[] | null;
}

/** A file or directory of a part; all of the part where it has no names. */
export interface ChosenPath {
  readonly part: string;
  readonly names: readonly string[];
}

/** Of components or paths, somebody wants these and nothing else. */
export function isWhole({ components, paths }: RestoreChoice): boolean {
  return components === null && paths === null;
}

/** Whether the part, or something in it, is restored. */
export function isChosen(part: SealedPart, { components, paths }: RestoreChoice): boolean {
  if (paths !== null && !paths.some((path) => path.part === part.name)) return false;
  return components === null || componentsOfPart(part).some((component) => components.includes(component));
}

/** What of the part is restored, by names from its top; null for all of it. */
export function pathsWithin({ name }: SealedPart, { paths }: RestoreChoice): [string, ...string[]][] | null {
  if (paths === null) return null;
  const within: [string, ...string[]][] = [];
  for (const { part, names } of paths) {
    if (part !== name) continue;
    const [first, ...rest] = names;
    if (first === undefined) return null;
    within.push([first, ...rest]);
  }
  return within;
}
