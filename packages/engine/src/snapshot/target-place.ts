import { HoldfastError } from '@holdfast/base';
import { type Descriptor, openDirectoryAt } from '../filesystem/open.ts';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';

/** A name in an open directory of the target: everything is reached like this, one component at a time. */
export interface TargetPlace {
  readonly directory: number;
  readonly name: ByteString;
  /** For messages. */
  readonly path: ByteString;
}

/** @throws HoldfastError `target-unsafe` for a name that would lead anywhere else than into its directory */
export function assertSafeName(name: ByteString, directoryPath: ByteString): void {
  if (name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0')) return;
  const context = { name: byteStringToText(name), directory: byteStringToText(directoryPath) };
  throw new HoldfastError('target-unsafe', `The snapshot has an entry with the name "${context.name}".`, {
    hint: 'No backup program writes such names: the snapshot was made to harm, and is not restored.',
    context,
  });
}

/** Opens the directory that an entry some components below an open one is in, never through a symbolic link. */
export function openDirectoryOf(root: number, components: readonly ByteString[]): Descriptor {
  let opened = openDirectoryAt(root, '.' as ByteString);
  for (const name of components.slice(0, -1)) {
    using above = opened;
    opened = openDirectoryAt(above.number, name);
  }
  return opened;
}
