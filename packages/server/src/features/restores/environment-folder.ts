import { existsSync } from 'node:fs';
import { lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { ServerPlace } from '../../runner/server-place.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';

/** The folder of an environment that is being made. */
export interface EnvironmentFolder {
  /**
   * Makes what containers bind: folders, and empty files for those that are a file. What is there stays.
   * @throws HoldfastError `code-refused` where a link is on the way, which would lead anywhere
   */
  makePlaces(places: readonly { readonly path: string; readonly isFile: boolean }[]): Promise<void>;
  /** Whether a path was not there before. */
  isNew(path: string): boolean;
  /** Removes what was made, with all that is in it. */
  undo(): Promise<void>;
}

export interface EnvironmentFolderOptions {
  readonly survey: Pick<EnvironmentSurvey, 'host'>;
  readonly serverPlace: ServerPlace;
  /** Whether the folders above it are made too, where they are missing. */
  readonly withParents?: boolean;
}

/**
 * @throws HoldfastError `environment-exists` when something is there already, `mount-needs-container` where the server does
 * not see the folders of the node
 */
export async function makeEnvironmentFolder(
  folder: string,
  { survey: { host }, serverPlace, withParents = false }: EnvironmentFolderOptions,
): Promise<EnvironmentFolder> {
  if (serverPlace.isInContainer || !host.isShared) throw notSeen(folder);
  try {
    if (withParents) await mkdir(dirname(folder), { recursive: true });
    await mkdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') throw isThere(folder);
    throw notMade(folder, error);
  }
  return {
    makePlaces: async (places) => {
      for (const { path, isFile } of places) {
        if (!path.startsWith(`${folder}/`)) continue;
        await refuseLinks(folder, path);
        await makePlace(path, isFile);
      }
    },
    isNew: (path) => isAtOrIn(path, folder),
    undo: async () => {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The folder of an environment that was there before, and may lack what its containers bind. What is bound through a link
 * is its owner's to make.
 */
export function existingEnvironmentFolder(folder: string): EnvironmentFolder {
  const made: string[] = [];
  return {
    makePlaces: async (places) => {
      for (const { path, isFile } of places) {
        if (
          !path.startsWith(`${folder}/`) ||
          existsSync(path) ||
          (await firstLink(folder, path)) !== undefined
        )
          continue;
        const first = await makePlace(path, isFile);
        if (first !== undefined) made.push(first);
      }
    },
    isNew: (path) => made.some((each) => isAtOrIn(path, each)),
    undo: async () => {
      for (const path of made) await rm(path, { recursive: true, force: true });
    },
  };
}

function isAtOrIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Answers the first path that was not there. */
async function makePlace(path: string, isFile: boolean): Promise<string | undefined> {
  const first = await mkdir(isFile ? dirname(path) : path, { recursive: true });
  if (!isFile) return first;
  const isNew = !existsSync(path);
  if (isNew) await writeFile(path, '', { flag: 'wx' });
  return first ?? (isNew ? path : undefined);
}

async function refuseLinks(folder: string, path: string): Promise<void> {
  const link = await firstLink(folder, path);
  if (link !== undefined) throw leadsOut(link);
}

async function firstLink(folder: string, path: string): Promise<string | undefined> {
  let reached = folder;
  for (const name of path.slice(folder.length + 1).split('/')) {
    reached = `${reached}/${name}`;
    try {
      if ((await lstat(reached)).isSymbolicLink()) return reached;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
  return undefined;
}

/** Of a path that a container of a new environment would bind. */
export function leadsOut(path: string): HoldfastError {
  return new HoldfastError('code-refused', `${path} is bound, and is or leads through a symbolic link.`, {
    hint: 'What it leads to would be shared. Make the environment with Compose, and restore the data into it: --target, without --branch-from.',
    context: { path },
  });
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
