import { HoldfastError, isHoldfastError, systemErrorCode } from '@holdfast/base';

/** Why a source cannot be kept on this machine while it is imported. */
export function spoolError(error: unknown): HoldfastError {
  if (isHoldfastError(error)) return error;
  const code = systemErrorCode(error) ?? 'unknown';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new HoldfastError('storage-full', 'There is no room for what is imported.', {
      hint: 'Make room where the data directory of Holdfast is: all of the source has to fit there, besides the vault.',
      cause: error,
    });
  }
  return new HoldfastError('storage-not-writable', `What is imported cannot be kept: ${code}.`, {
    hint: 'Check the disk that the data directory of Holdfast is on, and the owner and mode of the folder "tasks" in it.',
    cause: error,
  });
}
