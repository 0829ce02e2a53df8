import { rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import type { ImportTask } from '@holdfast/protocol';
import type { TaskContext } from '../task-context.ts';
import { defaultFetchLimits, fetchUrl } from './fetch-url.ts';
import { spoolError } from './spool-error.ts';

/** The whole source as a file on this machine. Disposing removes it, if it was made for the task. */
export interface TakenSource extends AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Takes in all of the source before anything is made of it.
 * @throws HoldfastError `url-refused`, `url-failed`, `url-limit-reached`, `storage-full`, `import-refused` for one that is
 *   empty
 */
export async function takeSource(task: ImportTask, context: TaskContext): Promise<TakenSource> {
  await using taking = new AsyncDisposableStack();
  const path = await pathOf(task, context, taking);
  const { size: sizeBytes } = await stat(path);
  if (sizeBytes === 0) {
    throw new HoldfastError('import-refused', 'There is nothing to import: the source is empty.', {
      hint: 'Check whether it is the right one, and whether it was written completely.',
    });
  }
  const taken = taking.move();
  return { path, sizeBytes, [Symbol.asyncDispose]: async () => await taken.disposeAsync() };
}

async function pathOf(
  { source, limits, scratchPath }: ImportTask,
  context: TaskContext,
  taking: AsyncDisposableStack,
): Promise<string> {
  if (source.kind === 'file') return source.path;
  const path = join(scratchPath, 'source');
  taking.defer(async () => await rm(path, { force: true }));
  const { hostname = 'the URL' } = URL.parse(source.url) ?? {};
  context.info(`Downloading from ${hostname}`);
  const progress = context.phase('download');
  const sink = progress.part(hostname);
  await fetchUrl({
    ...source,
    path,
    limits: { ...defaultFetchLimits, ...limits },
    onTotal: async (bytes) => {
      await requireRoom(scratchPath, bytes);
      progress.expect({ files: 1, bytes });
    },
    onProgress: (bytes) => sink.report({ files: 0, bytes, path: hostname }),
    onRetry: ({ message }) => context.info(`${message} It is tried again`),
    signal: context.signal,
  });
  return path;
}

async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bytes > bavail * bsize) throw spoolError(Object.assign(new Error('too large'), { code: 'ENOSPC' }));
}
