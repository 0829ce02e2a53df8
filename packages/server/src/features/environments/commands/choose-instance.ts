import { HoldfastError } from '@holdfast/base';
import type { Instance } from '@holdfast/docker';
import type { EnvironmentSurvey } from '../survey.ts';

export interface ChooseInstanceOptions {
  /** Name or id; null: whichever is best. */
  readonly named: string | null;
  /** Whether it will run by the time that it counts. */
  readonly mayBeStopped?: boolean;
}

const preference = ['healthy', 'none', 'starting'] as const;

/**
 * The instance in which a component's command runs: the one that is named, if it is of this component, else the first
 * healthy one.
 * @throws HoldfastError `instance-not-running` where none runs, or only unhealthy ones do
 */
export function chooseInstance(
  { record, environment }: Pick<EnvironmentSurvey, 'record' | 'environment'>,
  component: string,
  { named, mayBeStopped = false }: ChooseInstanceOptions,
): Instance {
  const instances = environment?.components.find(({ name }) => name === component)?.instances ?? [];
  const chosen = named === null ? undefined : instances.find((instance) => isNamed(instance, named));
  const [first] = instances;
  if (mayBeStopped && first !== undefined) return chosen ?? first;
  if (chosen !== undefined) {
    if (chosen.status === 'running') return chosen;
    throw notRunning(component, `${chosen.name} is ${chosen.status}`);
  }
  const running = instances.filter(({ status }) => status === 'running');
  const best = preference
    .map((health) => running.find((instance) => instance.health === health))
    .find((instance) => instance !== undefined);
  if (best !== undefined) return best;
  const why = running.length > 0 ? 'none of its instances is healthy' : 'none of its instances runs';
  throw notRunning(component, `${why} in ${record.name}`);
}

/** @throws HoldfastError `instance-unknown` when no component of these has an instance of this name or id */
export function requireInstance(
  { record, environment }: Pick<EnvironmentSurvey, 'record' | 'environment'>,
  named: string,
  components: readonly string[],
): void {
  const known = (environment?.components ?? [])
    .filter(({ name }) => components.includes(name))
    .flatMap(({ instances }) => instances);
  if (known.some((instance) => isNamed(instance, named))) return;
  throw new HoldfastError(
    'instance-unknown',
    `${components.join(', ')} of ${record.name}: no instance ${named}.`,
    {
      hint: `There are: ${known.map(({ name }) => name).join(', ') || 'none'}.`,
      context: { instance: named, known: known.map(({ name }) => name) },
    },
  );
}

function isNamed({ name, containerId }: Instance, text: string): boolean {
  return name === text || (text.length >= 12 && containerId.startsWith(text));
}

function notRunning(component: string, why: string): HoldfastError {
  return new HoldfastError('instance-not-running', `No command of ${component} can be run: ${why}.`, {
    hint: 'Start it, see its health check, or leave the component out with --component.',
    context: { component },
  });
}
