import { dirname } from 'node:path';
import { type Abortable, HoldfastError } from '@holdfast/base';
import type { ResolvePaths } from '../mounts/resolve-path.ts';
import { type AskContainerOptions, askContainer } from './ask-container.ts';
import { changeFolder, type FolderAnswer, type FolderChange } from './folder-change.ts';

/** Where the change has the one folder of the machine that it is given: a path that no image has. */
const placeInContainer = '/holdfast/place';

/** Makes, writes and removes what an environment's containers bind, on the engine's machine. */
export type ChangeFolders = (change: FolderChange, options: Abortable) => Promise<FolderAnswer>;

export const changeFoldersHere: ChangeFolders = async (change) =>
  await changeFolder({ root: '/', base: '/' }, change);

export interface ChangeFoldersOptions extends Omit<AskContainerOptions, 'image'> {
  /** Of an image of Holdfast. */
  readonly image: () => Promise<string>;
  readonly resolvePaths: ResolvePaths;
}

/**
 * For a process that does not see the engine's machine: a container does it, which has no more of the machine than the
 * folder that is around all of the change.
 */
export function changeFoldersInContainer({
  docker,
  image,
  resolvePaths,
}: ChangeFoldersOptions): ChangeFolders {
  return async (change, { signal }) => {
    const around = ancestorsOf(change);
    const found = await resolvePaths(around, { signal });
    const position = found.findIndex((path) => path.resolved && path.type === 'folder');
    const [base, resolved] = [around[position], found[position]];
    if (base === undefined || resolved?.resolved !== true) return { kind: 'failed', errorCode: 'ENOENT' };
    const answer = await askContainer(
      { docker, image: await image() },
      {
        program: 'packages/docker/src/host-files/folder-main.ts',
        args: [placeInContainer, base],
        label: 'folders',
        mounts: [{ type: 'bind', source: resolved.path, destination: placeInContainer, readOnly: false }],
        capabilities: ['DAC_OVERRIDE', 'FOWNER'],
        question: change,
      },
      { signal },
    );
    if (typeof answer === 'object' && answer !== null && 'kind' in answer) return answer as FolderAnswer;
    throw new HoldfastError('internal', 'The container that changes folders answered something else.');
  };
}

/** Of all that is changed, from the innermost outwards; not the root of the machine. */
function ancestorsOf(change: FolderChange): string[] {
  const ancestors: string[] = [];
  for (let folder = innermost(change); folder !== '/'; folder = dirname(folder)) ancestors.push(folder);
  if (change.kind !== 'remove') return ancestors;
  return ancestors.filter((folder) => change.paths.every((path) => path.startsWith(`${folder}/`)));
}

function innermost(change: FolderChange): string {
  switch (change.kind) {
    case 'make':
      return dirname(change.folder);
    case 'places':
      return change.folder;
    case 'write':
      return dirname(change.path);
    case 'remove':
      return dirname(change.paths[0] ?? '/');
  }
}
