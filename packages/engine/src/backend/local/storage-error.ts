import { HoldfastError, isHoldfastError, systemErrorCode, toHoldfastError } from '@holdfast/base';

export type Access = 'read' | 'write';

/** Names a failure of the file system for who has to act on it. `location` is the repository's directory. */
export function storageError(error: unknown, location: string, access: Access): HoldfastError {
  if (isHoldfastError(error)) return error;
  const code = systemErrorCode(error);
  if (code === undefined || code.startsWith('ERR_')) return toHoldfastError(error);
  const options = { context: { location, systemError: code }, cause: error };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new HoldfastError('storage-full', `There is no room left in ${location}.`, {
        ...options,
        hint: 'Free some space there, or raise its quota, and try again.',
      });
    case 'EROFS':
      return new HoldfastError('storage-not-writable', `${location} is on a read-only file system.`, {
        ...options,
        hint: 'Mount it writable, or choose another directory.',
      });
    case 'EACCES':
    case 'EPERM':
      return new HoldfastError(
        access === 'write' ? 'storage-not-writable' : 'storage-unreachable',
        `This user may not ${access} in ${location}.`,
        { ...options, hint: 'Check owner and mode of the directory and of what is in it.' },
      );
    case 'ENOENT':
      return new HoldfastError('storage-unreachable', `${location} is gone, or a folder in it is.`, {
        ...options,
        hint: 'Check that the directory exists and that its disk is mounted.',
      });
    case 'EEXIST':
    case 'ENOTDIR':
      return new HoldfastError('storage-unreachable', `${location} is not a directory.`, {
        ...options,
        hint: 'Give the path of a directory.',
      });
    default:
      return new HoldfastError('storage-unreachable', `${location} cannot be used: ${code}.`, {
        ...options,
        hint: 'Check the disk and the mount that the directory is on.',
        retry: code === 'EIO' || code === 'EAGAIN' || code === 'EMFILE' || code === 'ESTALE',
      });
  }
}
