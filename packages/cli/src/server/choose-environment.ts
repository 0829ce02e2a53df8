import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import type { Client, EnvironmentSummary } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';
import { composeProjectOf } from './compose-project.ts';

/**
 * What to name an environment to the server by: what the user gave, else the Compose project of the current
 * folder, else the only environment there is.
 *
 * @throws HoldfastError `environment-ambiguous`, with a list, when that does not say which; `environment-unknown` when
 * there is none at all
 */
export async function chooseEnvironment(
  context: CliContext,
  client: Client,
  given: string | undefined,
): Promise<string> {
  if (given !== undefined) return given;
  const { signal } = context.interrupts;
  const { environments } = await client.call('environment.list', { signal });
  const candidates = await ofCurrentFolder(context, environments);
  const chosen = unlessDeleted(candidates.length > 0 ? candidates : environments);
  const [first, ...others] = chosen;
  if (first === undefined) {
    throw new HoldfastError('environment-unknown', 'The server knows no environment (Compose project).', {
      hint: 'Start one with `docker compose up`; see `holdfast environment:list`.',
    });
  }
  if (others.length === 0) return first.id;
  throw new HoldfastError(
    'environment-ambiguous',
    'It is not clear which environment (Compose project) is meant.',
    {
      hint: `Name one: ${chosen.map((environment) => nameAmong(environment, chosen)).join(', ')}.`,
      context: { environments: chosen.map((environment) => environment.id) },
    },
  );
}

/** Where there are others, what was deleted is not meant. */
function unlessDeleted(environments: readonly EnvironmentSummary[]): readonly EnvironmentSummary[] {
  const others = environments.filter(({ deletion }) => deletion === null);
  return others.length > 0 ? others : environments;
}

async function ofCurrentFolder(
  context: CliContext,
  environments: readonly EnvironmentSummary[],
): Promise<readonly EnvironmentSummary[]> {
  const folder = await realpath(context.folder);
  const here = deepest(environments.filter((environment) => isWithin(folder, environment.folder)));
  if (here.length > 0) return here;
  const project = await composeProjectOf(folder, context);
  return environments.filter((environment) => environment.name === project);
}

/** Those whose folder is nearest, where projects are nested. */
function deepest(environments: readonly EnvironmentSummary[]): readonly EnvironmentSummary[] {
  const depth = Math.max(...environments.map((environment) => environment.folder?.length ?? 0));
  return environments.filter((environment) => environment.folder?.length === depth);
}

function isWithin(folder: string, parent: string | null): boolean {
  if (parent === null || parent === sep) return false;
  return folder === parent || folder.startsWith(parent.endsWith(sep) ? parent : parent + sep);
}

function nameAmong(environment: EnvironmentSummary, all: readonly EnvironmentSummary[]): string {
  const isUnique = all.filter((other) => other.name === environment.name).length === 1;
  return isUnique ? environment.name : `${environment.id} (${environment.name} on ${environment.nodeName})`;
}
