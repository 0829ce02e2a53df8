import { HoldfastError } from '@holdfast/base';
import type { ImportedArchive } from '@holdfast/engine';
import { type ArchivedBackup, archivedBackupFileName, archivedBackupSchema } from '@holdfast/protocol';

const checksumsFolder = 'checksums';
const partsFolder = 'parts';

/**
 * What an archive that `backup:download` made says of itself; undefined for any other archive.
 * @throws HoldfastError `archive-damaged`
 */
export async function archivedBackupIn(archive: ImportedArchive): Promise<ArchivedBackup | undefined> {
  const text = await archive.textOf(archivedBackupFileName);
  if (text === undefined) return undefined;
  const parsed = archivedBackupSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw damaged(`${archivedBackupFileName} is not as Holdfast writes it (${issue?.path.join('.') ?? ''})`);
}

/**
 * Holds every file of every part against the checksums that came with them.
 * @throws HoldfastError `archive-damaged`
 */
export async function verifyArchivedBackup(archive: ImportedArchive): Promise<void> {
  const names = archive.namesIn(checksumsFolder);
  if (names === undefined) throw damaged('its checksums are missing');
  await archive.verify(checksumsOf(archive, names), partsFolder);
}

async function* checksumsOf(archive: ImportedArchive, names: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const name of names) {
    const list = await archive.bytesOf(`${checksumsFolder}/${name}`);
    if (list !== undefined) yield list;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function damaged(reason: string): HoldfastError {
  return new HoldfastError('archive-damaged', `The archive of a backup is damaged: ${reason}.`, {
    hint: 'Download the backup again, and transfer all of it.',
    context: { reason },
  });
}
