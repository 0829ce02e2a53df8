import type { Abortable } from '@holdfast/base';
import type { ArchiveEntry } from './archive-entry.ts';
import type { ArchiveFormat } from './archive-format.ts';
import type { LimitGuard } from './archive-limits.ts';
import { readTar } from './read-tar.ts';
import { readZip } from './read-zip.ts';
import { type Compression, unpackedBytes } from './unpacked-bytes.ts';

export interface ReadEntriesRequest extends Abortable {
  readonly path: string;
  readonly format: ArchiveFormat;
  readonly limits: LimitGuard;
}

const compressionOf: Readonly<Record<Exclude<ArchiveFormat, 'zip'>, Compression>> = {
  tar: 'none',
  'tar.gz': 'gzip',
  'tar.zst': 'zstd',
};

/**
 * The entries of an archive, in its order, within the limits.
 * @throws HoldfastError `archive-damaged`, `archive-refused`, `archive-limit-reached`, `source-missing`,
 * `source-unreadable`, `interrupted`
 */
export async function* readEntries({
  path,
  format,
  limits,
  signal,
}: ReadEntriesRequest): AsyncGenerator<ArchiveEntry, void> {
  const entries =
    format === 'zip'
      ? readZip(path, { limits })
      : readTar(limits.counted(unpackedBytes(path, compressionOf[format], { signal })));
  for await (const entry of entries) {
    limits.addEntry();
    yield entry;
  }
}
