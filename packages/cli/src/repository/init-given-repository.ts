import { initRepository } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { givenBackend } from './given-backend.ts';
import { repositoryLocation } from './repository-location.ts';
import type { RepositoryOptions } from './repository-options.ts';
import { repositoryPassword } from './repository-password.ts';

/** Makes the repository that options and variables name. */
export async function initGivenRepository(context: CliContext, options: RepositoryOptions): Promise<void> {
  const { backend } = givenBackend(context, await repositoryLocation(context, options), options);
  const password = await repositoryPassword(context, options, { isNew: true });
  const repository = await initRepository({
    backend,
    passwords: [password],
    signal: context.interrupts.signal,
  });
  if (options.json === true) {
    const message = { message_type: 'initialized', id: repository.id, repository: repository.location };
    context.output.line(JSON.stringify(message));
    return;
  }
  context.output.line(`Repository ${repository.id.slice(0, 10)} is made at ${repository.location}.`);
  context.notes.line('Keep its password: without it, nobody can read what is in it.');
}
