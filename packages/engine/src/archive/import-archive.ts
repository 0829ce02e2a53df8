import type { ImportArchiveRequest, ImportedArchive } from './import-request.ts';

/**
 * Takes an archive that somebody handed in over into a repository, straight from the file: contents become blobs as a
 * backup would cut them, and nothing of it is ever unpacked onto a file system. Nothing in it is trusted.
 *
 * @throws HoldfastError `archive-refused`, `archive-limit-reached`, `archive-damaged`, `source-missing`,
 * `source-unreadable`, `target-full` for the directory, `interrupted`, and whatever the repository throws
 */
export async function importArchive(request: ImportArchiveRequest): Promise<ImportedArchive> {
  // Other verbs do not load it.
  const { runImport } = await import('./run-import.ts');
  return await runImport(request);
}
