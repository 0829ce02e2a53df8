import { type ExitStatus, exitStatus } from '@holdfast/base';
import type { CliContext } from '../context.ts';
import { formatNumberOf } from '../output/quantities.ts';
import { openGivenRepository } from './open-given-repository.ts';
import type { RepositoryOptions } from './repository-options.ts';

export interface UnlockOptions extends RepositoryOptions {
  readonly removeAll?: boolean;
}

/** Removes the locks of processes that are gone or, where it is asked for, all of them. */
export async function unlockGivenRepository(
  context: CliContext,
  options: UnlockOptions,
): Promise<ExitStatus> {
  const repository = await openGivenRepository(context, options);
  const removed = await repository.unlock({
    all: options.removeAll === true,
    signal: context.interrupts.signal,
  });
  if (options.json === true) {
    context.output.line(JSON.stringify({ message_type: 'summary', locks_removed: removed }));
  } else {
    context.output.line(`Removed ${formatNumberOf(removed, 'lock')}.`);
  }
  return exitStatus.done;
}
