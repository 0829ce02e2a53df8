import { HoldfastError } from '@holdfast/base';
import type { Client } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';
import { chooseEnvironment } from './choose-environment.ts';

/**
 * What the user gave, else the project of the environment that is meant where none is named, else the only one there is.
 *
 * @throws HoldfastError `environment-ambiguous`, `environment-unknown`
 */
export async function chooseProject(
  context: CliContext,
  client: Client,
  given: string | undefined,
): Promise<string> {
  if (given !== undefined) return given;
  const { environments } = await client.call('environment.list', { signal: context.interrupts.signal });
  const projects = [...new Set(environments.map(({ project }) => project))];
  const [only] = projects;
  if (only !== undefined && projects.length === 1) return only;
  const id = await chooseEnvironment(context, client, undefined);
  const chosen = environments.find((environment) => environment.id === id);
  if (chosen !== undefined) return chosen.project;
  throw new HoldfastError('environment-ambiguous', 'It is not clear which project is meant.', {
    hint: `Name one with --project: ${projects.join(', ')}.`,
  });
}
