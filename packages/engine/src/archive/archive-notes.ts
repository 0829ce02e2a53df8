import { type Abortable, throwIfAborted } from '@holdfast/base';
import { byteStringToText } from '../format/byte-string.ts';
import { hasSeveralNames } from '../snapshot/hard-links.ts';
import type { WalkEntry } from '../snapshot/walk.ts';
import { tarRules } from './tar-header.ts';
import { zipRules } from './zip-header.ts';

/**
 * - `left-out`: the archive does not have it: sockets, in a zip also devices and pipes
 * - `not-importable`: the archive has it, and no import takes it: devices and pipes
 * - `several-names`: a hard link, of which a zip makes a file of its own
 * - `without-attributes`: has extended attributes or access lists, which a zip cannot hold
 */
export type ArchiveNoteKind = 'left-out' | 'not-importable' | 'several-names' | 'without-attributes';

/** What of the entries does not come back from an archive as it is. */
export interface ArchiveNote {
  readonly kind: ArchiveNoteKind;
  readonly count: number;
  /** Of the first of them. */
  readonly paths: readonly string[];
}

const mostPaths = 20;

/** Goes through the entries before an archive is made of them. @throws whatever they reject with */
export async function archiveNotes(
  entries: AsyncIterable<WalkEntry>,
  { container, signal }: { readonly container: 'tar' | 'zip' } & Abortable,
): Promise<readonly ArchiveNote[]> {
  const found = new Map<ArchiveNoteKind, { count: number; paths: string[] }>();
  for await (const entry of entries) {
    throwIfAborted(signal);
    for (const kind of container === 'zip' ? kindsInZip(entry) : kindsInTar(entry)) {
      const note = found.get(kind) ?? { count: 0, paths: [] };
      found.set(kind, note);
      note.count += 1;
      if (note.paths.length < mostPaths) note.paths.push(byteStringToText(entry.path).slice(1));
    }
  }
  return [...found].map(([kind, note]) => ({ kind, ...note }));
}

function* kindsInTar(entry: WalkEntry): Generator<ArchiveNoteKind> {
  const { type } = entry.node;
  if (!tarRules.holds(entry)) yield 'left-out';
  else if (type === 'dev' || type === 'chardev' || type === 'fifo') yield 'not-importable';
}

function* kindsInZip(entry: WalkEntry): Generator<ArchiveNoteKind> {
  if (!zipRules.holds(entry)) {
    yield 'left-out';
    return;
  }
  if (hasSeveralNames(entry.node)) yield 'several-names';
  if (entry.node.extendedAttributes.length > 0) yield 'without-attributes';
}
