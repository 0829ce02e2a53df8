import { archiveFormatOf, type ImportedArchive, importArchive } from '@holdfast/engine';
import type { BackupMode } from '@holdfast/protocol';
import type { SavedPart } from '../capture/part.ts';
import { archivedBackupIn, verifyArchivedBackup } from './archived-backup.ts';
import { adoptParts, choosePlace } from './choose-places.ts';
import { CountedWriter } from './counted-writer.ts';
import type { Importing } from './importing.ts';
import { saveDump } from './save-dump.ts';

export interface ImportedParts {
  readonly mode: BackupMode;
  readonly parts: readonly SavedPart[];
}

/**
 * Saves what the source holds as parts of the environment. All of it is read and checked before the first tree is saved.
 * @throws HoldfastError `import-refused`, `archive-refused`, `archive-limit-reached`, `archive-damaged`,
 *   `command-output-incomplete`
 */
export async function importParts(importing: Importing): Promise<ImportedParts> {
  const { task, source } = importing;
  const { mode } = task.manifest;
  if ((await archiveFormatOf(source.path)) === undefined) {
    return { mode, parts: [await saveDump(choosePlace(task, { isArchive: false }), importing)] };
  }
  return await importFiles(importing);
}

async function importFiles(importing: Importing): Promise<ImportedParts> {
  const { task, source, writing } = importing;
  const { context, locked } = writing;
  const { repository, signal } = locked;
  const writer = new CountedWriter(writing.writer);
  const startedAtMs = context.clock.now();
  await using archive = await importArchive({
    path: source.path,
    writer,
    polynomial: repository.polynomial,
    limits: task.limits.archive,
    directory: task.scratchPath,
    progress: context.phase('import').part('archive'),
    signal,
  });
  const archived = await archivedBackupIn(archive);
  if (archived === undefined) {
    const place = choosePlace(task, { isArchive: true });
    const { mode } = task.manifest;
    // It is what the command prints, and only looks like an archive of files.
    if (place.source.kind === 'command') return { mode, parts: [await saveDump(place, importing)] };
    return { mode, parts: [await savePart({ spec: place, path: '' }, { archive, writer, startedAtMs })] };
  }
  await verifyArchivedBackup(archive);
  const { id, environmentName, createdAtMs, mode } = archived.backup;
  const createdAt = new Date(createdAtMs).toISOString();
  context.info(`The archive is of the backup ${id} of ${environmentName}, of ${createdAt}`);
  const parts: SavedPart[] = [];
  for (const adopted of adoptParts(archived, task)) {
    if (!adopted.hasPlace) context.warn(`${adopted.spec.name}: the environment has nothing like it now`);
    parts.push(await savePart(adopted, { archive, writer, startedAtMs }));
  }
  return { mode, parts };
}

interface SavingParts {
  readonly archive: ImportedArchive;
  readonly writer: CountedWriter;
  readonly startedAtMs: number;
}

async function savePart(
  { spec, path }: { readonly spec: SavedPart['spec']; readonly path: string },
  { archive, writer, startedAtMs }: SavingParts,
): Promise<SavedPart> {
  const { treeId, files, bytes } = await archive.saveTree(path);
  // Contents are saved before anybody knows whose they are: they count for the first part.
  const storedBytes = writer.takeStoredBytes();
  const summary = { files, bytes, storedBytes, unsteadyFiles: 0 };
  const result = { treeId, summary, warnings: [], warningCount: 0 };
  const { name, source, mountPoints } = spec;
  return { spec: { name, source, mountPoints }, startedAtMs, previousId: undefined, result };
}
