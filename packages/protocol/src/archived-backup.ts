import { z } from 'zod';
import { backupModeSchema } from './backup-record.ts';
import { timeMsSchema } from './ids.ts';
import { mountPointSchema, partSourceSchema } from './mount.ts';

/** The file that comes first in the archive of a backup that somebody takes along. */
export const archivedBackupFileName = 'holdfast-backup.json';

/**
 * What of a backup does not come back from the archive as it is:
 *
 * - `left-out`: the archive does not have it: sockets, in a zip also devices and pipes
 * - `not-importable`: the archive has it, and no import takes it: devices and pipes
 * - `several-names`: hard links, which are files of their own in a zip
 * - `without-attributes`: what has extended attributes or access lists, which a zip cannot hold
 */
export const archiveNoteSchema = z.object({
  kind: z.enum(['left-out', 'not-importable', 'several-names', 'without-attributes']),
  count: z.int().positive(),
  /** Of the first of them, in the archive. Bytes that are no text are shown as `\\xff`. */
  paths: z.array(z.string()).readonly(),
});

export type ArchiveNote = z.infer<typeof archiveNoteSchema>;

/** A header of the answer: the same notes, shortened, for who has not unpacked the archive yet. */
export const archiveNotesHeader = 'holdfast-notes';
const mostPathsInHeader = 2;
const mostLetters = 100;

export function encodeArchiveNotes(notes: readonly ArchiveNote[]): string {
  const short = notes.map(({ paths, ...note }) => ({
    ...note,
    paths: paths.slice(0, mostPathsInHeader).map((path) => [...path].slice(0, mostLetters).join('')),
  }));
  return encodeURIComponent(JSON.stringify(short));
}

/** None where the header is missing, or is not as Holdfast writes it. */
export function decodeArchiveNotes(header: string | null): readonly ArchiveNote[] {
  try {
    return z.array(archiveNoteSchema).parse(JSON.parse(decodeURIComponent(header ?? '[]')));
  } catch {
    return [];
  }
}

/** What that file says: enough to make a backup of the archive again. */
export const archivedBackupSchema = z.object({
  version: z.literal(1),
  backup: z.object({
    id: z.string(),
    mode: backupModeSchema,
    environmentName: z.string(),
    createdAtMs: timeMsSchema,
  }),
  parts: z.array(
    z.object({
      name: z.string().min(1),
      /** In the archive. */
      path: z.string().regex(/^parts\/(?!\.{1,2}$)[\w.-]+$/),
      source: partSourceSchema,
      mountPoints: z.array(mountPointSchema),
    }),
  ),
  /** For people. */
  notes: z.array(archiveNoteSchema).optional(),
});

export type ArchivedBackup = z.infer<typeof archivedBackupSchema>;
