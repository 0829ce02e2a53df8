import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/base';
import { backupSources } from '@holdfast/engine';
import type { SavedPart } from '../capture/part.ts';
import type { Place } from './choose-places.ts';
import type { Importing } from './importing.ts';
import type { TakenSource } from './take-source.ts';

/** As of a backup command's output: see `endPattern`. */
const tailBytes = 1024;

/**
 * Saves the source as it is, as what a backup command printed.
 * @throws HoldfastError `command-output-incomplete` when it lacks the mark that complete output ends with
 */
export async function saveDump(place: Place, { source, writing }: Importing): Promise<SavedPart> {
  const { name, mountPoints } = place;
  await requireEnd(place, source);
  const { context, locked, writer } = writing;
  const { repository, signal } = locked;
  const startedAtMs = context.clock.now();
  const progress = context.phase('import');
  progress.expect({ files: 1, bytes: source.sizeBytes });
  const modifiedAt = { seconds: Math.floor(startedAtMs / 1000), nanoseconds: 0 };
  const result = await backupSources({
    writer,
    blobs: repository.blobs,
    polynomial: repository.polynomial,
    sources: [],
    streams: [{ stream: createReadStream(source.path), treePath: ['data'], modifiedAt }],
    progress: progress.part(name),
    signal,
  });
  return { spec: { name, source: place.source, mountPoints }, startedAtMs, previousId: undefined, result };
}

async function requireEnd({ name, endPattern }: Place, source: TakenSource): Promise<void> {
  if (endPattern === null || new RegExp(endPattern).test(await tailOf(source))) return;
  throw new HoldfastError(
    'command-output-incomplete',
    `The dump for ${name} breaks off: the mark at its end is missing.`,
    {
      hint: 'Hand in all of it, not compressed: what the backup command of the component prints.',
      context: { part: name },
    },
  );
}

/** One character a byte. */
async function tailOf({ path, sizeBytes }: TakenSource): Promise<string> {
  await using file = await open(path);
  const length = Math.min(tailBytes, sizeBytes);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, sizeBytes - length);
  return buffer.subarray(0, bytesRead).toString('latin1');
}
