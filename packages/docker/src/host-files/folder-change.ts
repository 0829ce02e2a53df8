import { randomUUID } from 'node:crypto';
import { lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from '@holdfast/base';

/** A folder that a container binds, or an empty file in its place. */
export interface BoundPlace {
  readonly path: string;
  readonly isFile: boolean;
}

/** Something that is to be done to folders of an engine's machine. Paths are absolute and lead through no link. */
export type FolderChange =
  /** Fails where there is something already. */
  | { readonly kind: 'make'; readonly folder: string; readonly withParents: boolean }
  /** Only those within the folder. What is there stays. Where a link is on the way, beneath the folder, it is refused or left to its owner. */
  | {
      readonly kind: 'places';
      readonly folder: string;
      readonly places: readonly BoundPlace[];
      readonly links: 'refuse' | 'skip';
    }
  /** Whatever has the name is replaced, and never written through. */
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  /** With all that is in them. */
  | { readonly kind: 'remove'; readonly paths: readonly string[] };

export type FolderAnswer =
  /** `made`: the first path of each place that was not there before. */
  | { readonly kind: 'done'; readonly made: readonly string[] }
  | { readonly kind: 'link'; readonly path: string }
  | { readonly kind: 'failed'; readonly errorCode: string };

/** Does it on a machine of which `base` is to be found at `root`. */
export async function changeFolder(
  { root, base }: { readonly root: string; readonly base: string },
  change: FolderChange,
): Promise<FolderAnswer> {
  const at = (path: string): string => join(root, path.slice(base === '/' ? 0 : base.length));
  const onMachine = (path: string): string => join(base, path.slice(root === '/' ? 0 : root.length));
  try {
    switch (change.kind) {
      case 'make': {
        const folder = at(change.folder);
        if (change.withParents) await mkdir(dirname(folder), { recursive: true });
        await mkdir(folder);
        return { kind: 'done', made: [change.folder] };
      }
      case 'places': {
        const within = change.places.filter(({ path }) => path.startsWith(`${change.folder}/`));
        const places = within.map((place) => ({ ...place, path: at(place.path) }));
        const made = await makePlaces(at(change.folder), { ...change, places });
        if (typeof made === 'string') return { kind: 'link', path: onMachine(made) };
        return { kind: 'done', made: made.map(onMachine) };
      }
      case 'write': {
        await replaceFile(at(change.path), change.text);
        return { kind: 'done', made: [] };
      }
      case 'remove':
        for (const path of change.paths) await rm(at(path), { recursive: true, force: true });
        return { kind: 'done', made: [] };
    }
  } catch (error) {
    const errorCode = systemErrorCode(error);
    if (errorCode === undefined) throw error;
    return { kind: 'failed', errorCode };
  }
}

/** Answers what was not there; the first link where links are refused. */
async function makePlaces(
  folder: string,
  { places, links }: Pick<Extract<FolderChange, { kind: 'places' }>, 'places' | 'links'>,
): Promise<readonly string[] | string> {
  const made: string[] = [];
  for (const { path, isFile } of places) {
    const link = await firstLink(folder, path);
    if (link !== undefined && links === 'refuse') return link;
    if (link !== undefined) continue;
    const first = await makePlace(path, isFile);
    if (first !== undefined) made.push(first);
  }
  return made;
}

/** Answers the first path that was not there. */
async function makePlace(path: string, isFile: boolean): Promise<string | undefined> {
  if (await isThere(path)) return undefined;
  const first = await mkdir(isFile ? dirname(path) : path, { recursive: true });
  if (isFile) await writeFile(path, '', { flag: 'wx' });
  return first ?? path;
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  await writeFile(temporary, text, { flag: 'wx' });
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await statusOf(path)) !== undefined;
}

async function firstLink(folder: string, path: string): Promise<string | undefined> {
  let reached = folder;
  for (const name of path.slice(folder.length + 1).split('/')) {
    reached = `${reached}/${name}`;
    const status = await statusOf(reached);
    if (status === undefined) return undefined;
    if (status.isSymbolicLink()) return reached;
  }
  return undefined;
}

async function statusOf(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
