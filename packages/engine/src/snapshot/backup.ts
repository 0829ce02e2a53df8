import { HoldfastError } from '@holdfast/base';
import { noAccountNames, readAccountNames } from '../filesystem/account-names.ts';
import type { BackupRequest, BackupResult } from './backup-request.ts';
import { compileExclusion } from './exclusion.ts';

/**
 * Saves directory trees, files and streams as one tree, byte-identical with what restic 0.18 writes for the same sources when
 * `localTime` and `ownerNames` are set. Sockets are left out, as there. What vanishes, changes or cannot be read
 * meanwhile is a warning. Writes blobs only: the caller flushes the writer and then saves the snapshot.
 *
 * @throws HoldfastError `source-missing` when there is no source at all, `source-unreadable`, `source-empty` when all
 * of it was excluded or a stream had no bytes, `interrupted`, and whatever the repository throws
 */
export async function backupSources(request: BackupRequest): Promise<BackupResult> {
  if (request.sources.length === 0 && (request.streams ?? []).length === 0) {
    throw new HoldfastError('usage-invalid', 'There is nothing to back up.', {
      hint: 'Name a file or directory.',
    });
  }
  // Other verbs do not load it.
  const { runBackup } = await import('./backup-run.ts');
  return await runBackup({
    ...request,
    names: request.options?.ownerNames === true ? readAccountNames() : noAccountNames,
    exclusion: compileExclusion(request),
  });
}
