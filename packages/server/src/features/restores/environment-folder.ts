import { dirname } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import type { BoundPlace, FolderAnswer } from '@holdfast/docker';
import type { EnvironmentSurvey } from '../environments/survey.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';

/** The folder of an environment that is being made. */
export interface EnvironmentFolder {
  /**
   * Makes what containers bind: folders, and empty files for those that are a file. What is there stays.
   * @throws HoldfastError `code-refused` where a link is on the way, which would lead anywhere
   */
  makePlaces(places: readonly BoundPlace[]): Promise<void>;
  /** Whether a path was not there before. */
  isNew(path: string): boolean;
  /** Removes what was made, with all that is in it, as far as that goes. Never throws. */
  undo(): Promise<void>;
}

type Survey = Pick<EnvironmentSurvey, 'changeFolders'>;

/**
 * `withParents`: the folders above it are made too, where they are missing.
 * @throws HoldfastError `environment-exists` when something is there already; `target-not-writable`
 */
export async function makeEnvironmentFolder(
  folder: string,
  { changeFolders }: Survey,
  { run, withParents = false }: { readonly run: Pick<JobRun, 'signal'>; readonly withParents?: boolean },
): Promise<EnvironmentFolder> {
  const made = await changeFolders({ kind: 'make', folder, withParents }, run);
  if (made.kind === 'failed' && made.errorCode === 'EEXIST') throw isThere(folder);
  requireDone(made, folder);
  return {
    makePlaces: async (places) => {
      requireDone(await changeFolders({ kind: 'places', folder, places, links: 'refuse' }, run), folder);
    },
    isNew: (path) => isAtOrIn(path, folder),
    undo: async () => await removeAll(changeFolders, [folder]),
  };
}

/**
 * The folder of an environment that was there before, and may lack what its containers bind. What is bound through a link
 * is its owner's to make.
 */
export function existingEnvironmentFolder(
  folder: string,
  { changeFolders }: Survey,
  { run }: { readonly run: Pick<JobRun, 'signal'> },
): EnvironmentFolder {
  const made: string[] = [];
  return {
    makePlaces: async (places) => {
      const answer = await changeFolders({ kind: 'places', folder, places, links: 'skip' }, run);
      made.push(...requireDone(answer, folder));
    },
    isNew: (path) => made.some((each) => isAtOrIn(path, each)),
    undo: async () => {
      if (made.length > 0) await removeAll(changeFolders, made);
    },
  };
}

/** Also where the work was cancelled. What led here is the failure to tell. */
async function removeAll(changeFolders: Survey['changeFolders'], paths: readonly string[]): Promise<void> {
  await changeFolders({ kind: 'remove', paths }, {}).catch(() => {});
}

function isAtOrIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Answers what was made. */
function requireDone(answer: FolderAnswer, folder: string): readonly string[] {
  switch (answer.kind) {
    case 'done':
      return answer.made;
    case 'link':
      throw leadsOut(answer.path);
    case 'failed':
      throw notMade(folder, answer.errorCode);
  }
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

function notMade(folder: string, errorCode: string): HoldfastError {
  return new HoldfastError(
    'target-not-writable',
    `The folder ${folder} of the environment cannot be made: ${errorCode}.`,
    {
      hint: `See that ${dirname(folder)} is there and may be written to.`,
      context: { folder },
    },
  );
}
