import { systemCalls } from './system-calls.ts';
import { SystemError } from './system-error.ts';

/** `SYNC_FILE_RANGE_WRITE`. */
const startOnly = 2;
/** What is smaller is left to the kernel, which puts it together with its neighbours. */
const leastBytes = 128 * 1024;

/**
 * Has the kernel begin to write a stretch of a file to storage, where it would first gather a tenth of the memory: for
 * whoever will wait until all of it is there. Where that cannot be, nothing is lost.
 */
export function startWriteOut(
  file: number,
  { position, sizeBytes }: { position: number; sizeBytes: number },
): void {
  if (sizeBytes >= leastBytes) systemCalls().syncFileRange(file, position, sizeBytes, startOnly);
}

/** Writes everything of the file system that the descriptor is on to stable storage. */
export async function syncFileSystem(descriptor: number): Promise<void> {
  // Which error it was is lost with the thread that the call ran on.
  if ((await systemCalls().syncfs(descriptor)) !== 0) throw new SystemError('EIO', 'syncfs');
}
