import type { SealedPart } from '@holdfast/protocol';

/** What a backup has, as far as doubts go. */
export interface DoubtfulContents {
  readonly components: readonly string[];
  readonly parts: readonly Pick<SealedPart, 'name' | 'source' | 'mountPoints' | 'bytes'>[];
}

export interface DoubtRequest {
  readonly taken: DoubtfulContents;
  /** The good one that it is compared with; undefined: there is none. */
  readonly before: DoubtfulContents | undefined;
  /** The components that were asked for; null: all. */
  readonly components: readonly string[] | null;
  /** Mounts that somebody has left out since, or that a command backs up now. */
  readonly leftOut: ReadonlySet<string>;
  /** Whether a source that is empty now was said to be so. */
  readonly allowEmpty: boolean;
}

/** Less than one in so many of the bytes that were there. */
const shrinkFactor = 10;

/**
 * Why a backup is not taken for good: a source of the one before is not in it, or has lost nine tenths of its bytes. Code and
 * images are not looked at: they are there to be made anew.
 *
 * @returns null where it is as good as the one before
 */
export function doubtOf({ taken, before, components, leftOut, allowEmpty }: DoubtRequest): string | null {
  if (before === undefined) return null;
  const doubts = before.parts
    .filter((part) => isData(part) && isAskedFor(part, components) && !leftOut.has(part.name))
    .flatMap((old) => {
      const { name, bytes } = old;
      const part = taken.parts.find((each) => each.name === name) ?? inPlaceOf(old, taken.parts);
      if (part === undefined) return isOtherwise(old, taken.parts) ? [] : [`${name} is not there any more`];
      if (part.bytes * shrinkFactor >= bytes || (part.bytes === 0 && allowEmpty)) return [];
      return [`${name} has ${part.bytes} bytes, and had ${bytes}`];
    });
  return doubts.length === 0 ? null : `${doubts.join('; ')}.`;
}

/**
 * The one to compare with: the newest that has all components which the new one has, else the newest of those with the most.
 *
 * @param good newest first
 */
export function comparedWith<Backup extends { readonly components: readonly string[] }>(
  components: readonly string[],
  good: readonly Backup[],
): Backup | undefined {
  const whole = good.find((backup) => components.every((name) => backup.components.includes(name)));
  if (whole !== undefined) return whole;
  const most = Math.max(...good.map((backup) => backup.components.length));
  return good.find((backup) => backup.components.length === most);
}

/** Another source that is mounted where this one was: it was moved, or renamed. */
function inPlaceOf<Part extends DoubtfulContents['parts'][number]>(
  { mountPoints }: DoubtfulContents['parts'][number],
  parts: readonly Part[],
): Part | undefined {
  return parts.find((part) =>
    part.mountPoints.some(({ component, path }) =>
      mountPoints.some((old) => old.component === component && old.path === path),
    ),
  );
}

/** What a command printed: its component is backed up by its mounts now. */
function isOtherwise(
  { source }: DoubtfulContents['parts'][number],
  parts: DoubtfulContents['parts'],
): boolean {
  if (source.kind !== 'command') return false;
  return parts.some((part) => part.mountPoints.some(({ component }) => component === source.component));
}

function isData({ source }: DoubtfulContents['parts'][number]): boolean {
  return source.kind !== 'code' && source.kind !== 'image';
}

function isAskedFor(
  { source, mountPoints }: DoubtfulContents['parts'][number],
  components: readonly string[] | null,
): boolean {
  if (components === null) return true;
  if (source.kind === 'command') return components.includes(source.component);
  return mountPoints.some(({ component }) => components.includes(component));
}
