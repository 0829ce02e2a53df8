import { systemCalls } from './system-calls.ts';
import { SystemError } from './system-error.ts';

/** Writes everything of the file system that the descriptor is on to stable storage. */
export async function syncFileSystem(descriptor: number): Promise<void> {
  // Which error it was is lost with the thread that the call ran on.
  if ((await systemCalls().syncfs(descriptor)) !== 0) throw new SystemError('EIO', 'syncfs');
}
