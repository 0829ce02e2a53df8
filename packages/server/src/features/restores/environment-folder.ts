import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { ServerPlace } from '../../runner/server-place.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';

/** The folder of an environment that is being made. */
export interface FolderOfClone {
  /** Makes what containers bind: folders, and empty files for those that are a file. What is there stays. */
  makePlaces(places: readonly { readonly path: string; readonly isFile: boolean }[]): Promise<void>;
  /** Removes the folder with all that is in it. */
  undo(): Promise<void>;
}

export interface FolderOfCloneOptions {
  readonly survey: Pick<EnvironmentSurvey, 'host'>;
  readonly serverPlace: ServerPlace;
}

/**
 * @throws HoldfastError `environment-exists` when something is there already, `mount-needs-container` where the server does
 * not see the folders of the node
 */
export async function makeFolderOfClone(
  folder: string,
  { survey: { host }, serverPlace }: FolderOfCloneOptions,
): Promise<FolderOfClone> {
  if (serverPlace.isInContainer || !host.isShared) throw notSeen(folder);
  try {
    // The one above has to be there: whose it is says who may see what is in it.
    await mkdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') throw isThere(folder);
    throw notMade(folder, error);
  }
  return {
    makePlaces: async (places) => {
      for (const { path, isFile } of places) {
        if (!path.startsWith(`${folder}/`)) continue;
        await mkdir(isFile ? dirname(path) : path, { recursive: true });
        if (isFile) await writeFile(path, '', { flag: 'a' });
      }
    },
    undo: async () => {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isThere(folder: string): HoldfastError {
  return new HoldfastError(
    'environment-exists',
    `The folder ${folder} of the new environment is there already.`,
    {
      hint: 'Choose another name, or move the folder away.',
      context: { folder },
    },
  );
}

function notMade(folder: string, cause: unknown): HoldfastError {
  const reason = systemErrorCode(cause) ?? 'unknown';
  return new HoldfastError(
    'target-not-writable',
    `The folder ${folder} of the new environment cannot be made: ${reason}.`,
    {
      hint: `See that ${dirname(folder)} is there and may be written to.`,
      context: { folder },
      cause,
    },
  );
}

function notSeen(folder: string): HoldfastError {
  return new HoldfastError(
    'mount-needs-container',
    `The server does not see the folders of the node, and the new environment needs ${folder}.`,
    {
      hint: 'Make the environment with Compose there, and restore the data into it: --target, without --branch-from.',
      context: { folder },
    },
  );
}
