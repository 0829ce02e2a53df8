import { HoldfastError } from '@holdfast/base';
import { componentsOfPart, type ImportTask } from '@holdfast/protocol';
import type { EnvironmentSurvey } from '../../environments/survey.ts';

type ImportPlace = ImportTask['places'][number];

/**
 * The parts that a backup of the environment has, or could have: what is imported becomes some of them. Mounts are those
 * that a restore would write to; of an environment without containers, as they were last seen.
 */
export function importPlaces({
  record,
  mounts,
  commands,
}: Pick<EnvironmentSurvey, 'record' | 'mounts' | 'commands'>): readonly ImportPlace[] {
  const surveyed = mounts.filter(({ mount, isByCommand }) => mount.included || isByCommand === true);
  const shown =
    record.state === 'active'
      ? surveyed.map(({ mount }) => mount)
      : record.seen.mounts.filter(({ included }) => included);
  const ofMounts = shown.flatMap(({ name, source, mountPoints }) =>
    source === null ? [] : [{ name, source, mountPoints, endPattern: null }],
  );
  const ofCommands = [...commands].flatMap(([component, { backup, restore }]) => {
    if (restore === undefined) return [];
    const source = { kind: 'command' as const, component };
    const endPattern = backup?.endPattern ?? null;
    return [{ name: `${component}:command`, source, mountPoints: [], endPattern }];
  });
  return [...ofMounts, ...ofCommands];
}

/**
 * Whether there is anything that an import could become.
 * @throws HoldfastError `component-unknown`, `import-refused`
 */
export function requireImportPossible(
  survey: Pick<EnvironmentSurvey, 'record' | 'mounts' | 'commands'>,
  { component, part }: Pick<ImportTask, 'component' | 'part'>,
): void {
  const { name, seen } = survey.record;
  const known = seen.components.map((each) => each.name);
  if (component !== null && !known.includes(component)) {
    throw new HoldfastError('component-unknown', `The environment ${name} has no component ${component}.`, {
      hint: `It has: ${known.join(', ')}.`,
      context: { component, known },
    });
  }
  const places = importPlaces(survey).filter(
    (place) => component === null || componentsOfPart(place).includes(component),
  );
  const names = places.map((place) => place.name);
  if (part === null ? names.length > 0 : names.includes(part)) return;
  const where = component === null ? `the environment ${name}` : `${component} in ${name}`;
  throw new HoldfastError(
    'import-refused',
    `Nothing of ${where} can be imported${part === null ? '' : ` as ${part}`}.`,
    {
      hint:
        names.length === 0
          ? `holdfast environment:get ${name} lists every mount, with the reason where one is left out.`
          : `It has: ${names.join(', ')}.`,
      context: { parts: names },
    },
  );
}
