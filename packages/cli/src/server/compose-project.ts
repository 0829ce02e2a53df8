import { access, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { CliContext } from '../context.ts';

/** In the order in which Compose looks for them. */
const composeFileNames = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
] as const;

/**
 * The name that Compose would give the project of a folder: `COMPOSE_PROJECT_NAME`, the `name` of the nearest Compose
 * file, or the name of that file's folder. Undefined where neither the folder nor any above it has a Compose file.
 */
export async function composeProjectOf(
  folder: string,
  { env }: Pick<CliContext, 'env'>,
): Promise<string | undefined> {
  const file = await nearestComposeFile(folder);
  if (file === undefined) return undefined;
  if (env.COMPOSE_PROJECT_NAME) return env.COMPOSE_PROJECT_NAME;
  const dotEnv = await readIfThere(join(dirname(file), '.env'));
  const name =
    scalarLine(dotEnv, /^\s*(?:export\s+)?COMPOSE_PROJECT_NAME\s*=\s*/) ??
    scalarLine(await readIfThere(file), /^name\s*:\s+/);
  return name ?? normalisedName(basename(dirname(file)));
}

async function nearestComposeFile(folder: string): Promise<string | undefined> {
  for (let here = folder; ; here = dirname(here)) {
    for (const name of composeFileNames) {
      const path = join(here, name);
      if (await isThere(path)) return path;
    }
    if (dirname(here) === here) return undefined;
  }
}

/** The value of the first line that begins so, if it is a plain project name, in quotes or not. */
function scalarLine(text: string, beginning: RegExp): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    if (!beginning.test(line)) continue;
    const value = /^(["']?)([a-z0-9][a-z0-9_-]*)\1\s*(?:#.*)?$/.exec(line.replace(beginning, ''));
    return value?.[2];
  }
  return undefined;
}

/** Compose's own rule for names made of folders. */
function normalisedName(folderName: string): string {
  return folderName
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** An unreadable file says nothing about the project's name; the choice then falls to the next rule. */
async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
