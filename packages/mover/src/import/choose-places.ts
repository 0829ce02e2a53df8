import { HoldfastError } from '@holdfast/base';
import { type ArchivedBackup, componentsOfPart, type ImportTask } from '@holdfast/protocol';

export type Place = ImportTask['places'][number];
export interface Choice extends Pick<ImportTask, 'component' | 'part'> {
  readonly places: readonly Place[];
}

/** A part of an archive that `backup:download` made, as a part of this environment. */
export interface AdoptedPart {
  readonly spec: Pick<Place, 'name' | 'source' | 'mountPoints'>;
  /** In the archive. */
  readonly path: string;
  /** False where the environment has nothing that it is of. */
  readonly hasPlace: boolean;
}

/**
 * What a source becomes that says nothing of itself: an archive is what is in a mount, anything else what a backup command
 * printed. Where only a command is meant, an archive is its output too.
 * @throws HoldfastError `import-refused` where nothing fits, or several do
 */
export function choosePlace(choice: Choice, { isArchive }: { readonly isArchive: boolean }): Place {
  const chosen = choice.places.filter(
    (place) =>
      (choice.component === null || componentsOfPart(place).includes(choice.component)) &&
      (choice.part === null || place.name === choice.part),
  );
  const mounts = chosen.filter(({ source }) => source.kind !== 'command');
  const isOfMount = isArchive && mounts.length > 0;
  const fitting = isOfMount ? mounts : chosen.filter(({ source }) => source.kind === 'command');
  const [place, ...others] = fitting;
  if (place === undefined) throw isArchive ? nothingFits(choice) : noArchive(choice);
  if (others.length > 0) throw severalFit(fitting, isOfMount);
  return place;
}

/**
 * The parts of an archived backup, as parts of this environment: where that has the same volume, or anything at the same
 * place in the same component, the part becomes one of that. Nothing but names is taken over from the archive.
 * @throws HoldfastError `import-refused` where none is chosen
 */
export function adoptParts({ parts }: ArchivedBackup, choice: Choice): readonly AdoptedPart[] {
  const taken = new Set<Place>();
  const adopted = parts.map((part): AdoptedPart & { readonly archivedName: string } => {
    const place = choice.places.find((each) => !taken.has(each) && fits(part, each));
    if (place !== undefined) taken.add(place);
    const { name, source, mountPoints } = place ?? { ...part, source: withoutOptions(part.source) };
    const spec = { name, source, mountPoints };
    // Code and images are of no place.
    const hasPlace = place !== undefined || source.kind === 'code' || source.kind === 'image';
    return { spec, path: part.path, hasPlace, archivedName: part.name };
  });
  const chosen = adopted.filter(
    ({ spec, archivedName }) =>
      (choice.component === null || componentsOfPart(spec).includes(choice.component)) &&
      (choice.part === null || spec.name === choice.part || archivedName === choice.part),
  );
  if (chosen.length > 0 && areDistinct(chosen)) return chosen;
  throw new HoldfastError('import-refused', 'The archive has no such part, or one twice.', {
    hint: `It has: ${parts.map(({ name }) => name).join(', ')}.`,
  });
}

type ArchivedPart = ArchivedBackup['parts'][number];

function fits({ source, mountPoints }: ArchivedPart, place: Place): boolean {
  if (source.kind === 'command' || place.source.kind === 'command') {
    return (
      source.kind === 'command' &&
      place.source.kind === 'command' &&
      source.component === place.source.component
    );
  }
  if (source.kind === 'volume' && place.source.kind === 'volume' && source.name === place.source.name) {
    return true;
  }
  return place.mountPoints.some(({ component, path }) =>
    mountPoints.some((point) => point.component === component && point.path === path),
  );
}

/** A volume's options may say which folder of the host it is: that is not for an archive to say. */
function withoutOptions(source: ArchivedPart['source']): ArchivedPart['source'] {
  return source.kind === 'volume' ? { ...source, driver: 'local', labels: {}, options: {} } : source;
}

function areDistinct(parts: readonly AdoptedPart[]): boolean {
  return new Set(parts.map(({ spec }) => spec.name)).size === parts.length;
}

function nothingFits({ component, part }: Choice): HoldfastError {
  const where = part ?? component ?? 'the environment';
  return new HoldfastError('import-refused', `There is no mount of ${where} that the archive could be of.`, {
    hint: 'holdfast environment:get lists every mount, with the reason where one is left out.',
  });
}

function noArchive({ component, part }: Choice): HoldfastError {
  const where = part ?? component ?? 'the environment';
  return new HoldfastError(
    'import-refused',
    `The source is neither tar nor zip, and ${where} has no restore command that would take it.`,
    {
      hint: 'Give a tar, tar.gz, tar.zst or zip archive, or set a restore command: holdfast component:set.',
    },
  );
}

function severalFit(places: readonly Place[], isOfMount: boolean): HoldfastError {
  const names = places.map(({ name }) => name);
  return new HoldfastError(
    'import-refused',
    `The ${isOfMount ? 'archive' : 'source'} could become any of ${names.join(', ')}.`,
    { hint: 'Choose one with --component or --part.', context: { parts: names } },
  );
}
