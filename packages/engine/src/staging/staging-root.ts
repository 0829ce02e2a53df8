import { HoldfastError } from '@holdfast/base';
import { type FileStatus, isDirectory, statusAt } from '../filesystem/file-status.ts';
import { openTrustedDirectory } from '../filesystem/open.ts';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';
import { nodeTypeOf } from '../format/go-file-mode.ts';
import { baseName, parentPath } from '../snapshot/source-tree.ts';

/** The open directory beneath which a staging works. */
export interface StagingRoot extends Disposable {
  readonly directory: number;
  readonly path: ByteString;
  /** The entry that is the target; undefined where the directory itself is. */
  readonly entry: ByteString | undefined;
}

/**
 * For a directory that is to be a directory: itself, whose mount everything stays on. Otherwise, the one that it is in.
 * @throws SystemError; HoldfastError `target-unsafe` for a symbolic link
 */
export function openStagingRoot(path: ByteString, isForDirectory: boolean): StagingRoot {
  const above = parentPath(path);
  const entry = baseName(path);
  const current = statusIn(above, entry);
  if (current !== undefined && nodeTypeOf(current.mode) === 'symlink') throw isLink(path);
  const isInside = isForDirectory && (entry === '' || (current !== undefined && isDirectory(current)));
  const opened = openTrustedDirectory(isInside ? path : above);
  return {
    directory: opened.number,
    path: isInside ? path : above,
    entry: isInside ? undefined : entry,
    [Symbol.dispose]: () => opened[Symbol.dispose](),
  };
}

function statusIn(directory: ByteString, name: ByteString): FileStatus | undefined {
  if (name === '') return undefined;
  using opened = openTrustedDirectory(directory);
  return statusAt(opened.number, name);
}

function isLink(path: ByteString): HoldfastError {
  const context = { path: byteStringToText(path) };
  return new HoldfastError('target-unsafe', `The target ${context.path} is a symbolic link.`, {
    hint: 'Give the path that it leads to.',
    context,
  });
}
