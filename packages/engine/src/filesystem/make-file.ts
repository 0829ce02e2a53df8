import { ftruncateSync } from 'node:fs';
import { systemErrorCode } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import { renameAt, unlinkAt } from './entries.ts';
import { type InodeMetadata, openFileTarget, restoreMetadata } from './inode-metadata.ts';
import { createFileAt } from './open.ts';
import { temporaryNameFor } from './temporary-name.ts';
import { type WriteOptions, writeBytes } from './write-bytes.ts';

/** A regular file that is to be made where nothing has its name. */
export interface NewFile {
  /** An open directory of this process. */
  readonly directory: number;
  readonly name: ByteString;
  readonly metadata: InodeMetadata;
}

/** A part of the metadata that could not be set: `what` it was, and the name of the system error. */
export interface MetadataFailure {
  readonly what: string;
  readonly errorCode: string;
}

/**
 * Makes a file whole: under a temporary name, with content and metadata, before it gets its own name. What of the
 * metadata could not be set comes back.
 * @throws system errors; then nothing is left of it
 */
export function makeFile(
  { directory, name, metadata }: NewFile,
  content: Uint8Array,
  options: WriteOptions,
): readonly MetadataFailure[] {
  const temporary = temporaryNameFor();
  using file = createFileAt(directory, temporary);
  try {
    if (options.sparse) ftruncateSync(file.number, content.length);
    writeBytes(file.number, content, { ...options, position: 0 });
    const failures: MetadataFailure[] = [];
    restoreMetadata(openFileTarget(file.number), metadata, {
      onFailure: (what, error) => failures.push({ what, errorCode: systemErrorCode(error) ?? 'EIO' }),
    });
    renameAt(directory, temporary, name);
    return failures;
  } catch (error) {
    discardEntry(directory, temporary);
    throw error;
  }
}

/** Removes an entry as well as it goes: the failure that led here is the one to tell. */
export function discardEntry(directory: number, name: ByteString): void {
  try {
    unlinkAt(directory, name);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}
