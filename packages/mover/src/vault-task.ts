import { randomBytes, randomUUID } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { type Abortable, HoldfastError } from '@holdfast/base';
import { isRemoteLocation, openPlainFiles, type PlainFiles } from '@holdfast/engine';
import { type VaultMarker, type VaultTask, vaultMarkerName, vaultMarkerSchema } from '@holdfast/protocol';
import type { TaskContext } from './task-context.ts';

/** Looks at a vault, or tries it out; what it finds is in its report. */
export async function runVaultTask(task: VaultTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  const { location, storage, action } = task;
  const vault = openPlainFiles(location, storage);
  if (action.kind === 'test') await vault.create(context);
  switch (action.kind) {
    case 'open': {
      const { marker, mayMake, folders } = action;
      const found =
        (await readMarker(vault, context)) ?? (mayMake ? await makeMarker(vault, marker, context) : null);
      context.vault({ kind: 'opened', marker: found, missing: await without(vault, folders, context) });
      return;
    }
    case 'test':
      context.vault({ kind: 'tested', clockAheadMs: await tryOut(vault, context) });
      return;
    case 'list': {
      const marker = (await readMarker(vault, context)) ?? null;
      context.vault({ kind: 'listed', marker, ...(await repositoriesIn(vault, task, context)) });
      return;
    }
    case 'measure': {
      const folders: { folder: string; files: number; bytes: number }[] = [];
      for (const folder of await vault.listFolders(context)) {
        folders.push({ folder, ...(await vault.usage(folder, context)) });
      }
      context.vault({ kind: 'measured', folders, space: await spaceOf(location) });
    }
  }
}

/** Undefined where there is none. @throws HoldfastError `vault-missing` when it was damaged */
async function readMarker(vault: PlainFiles, { signal }: TaskContext): Promise<VaultMarker | undefined> {
  const bytes = await vault.read(vaultMarkerName, { signal });
  if (bytes === undefined) return undefined;
  const parsed = vaultMarkerSchema.safeParse(parseJson(bytes));
  if (parsed.success) return parsed.data;
  throw new HoldfastError(
    'vault-missing',
    `${vault.location}/${vaultMarkerName} is not the marker of a vault.`,
    {
      hint: 'Put back the file from a copy of the vault.',
      context: { location: vault.location },
    },
  );
}

/** Of two that make one at the same moment, one does; both get that. */
async function makeMarker(
  vault: PlainFiles,
  marker: VaultMarker,
  context: TaskContext,
): Promise<VaultMarker | null> {
  const { signal } = context;
  const bytes = Buffer.from(`${JSON.stringify(marker)}\n`);
  await vault.write(vaultMarkerName, bytes, { ifNew: true, signal });
  return (await readMarker(vault, context)) ?? null;
}

async function without(
  vault: PlainFiles,
  folders: readonly string[],
  { signal }: TaskContext,
): Promise<string[]> {
  const missing: string[] = [];
  for (const folder of folders) {
    if ((await vault.stat(`${folder}/config`, { signal })) === undefined) missing.push(folder);
  }
  return missing;
}

const repositoryFolders: ReadonlySet<string> = new Set(['data', 'index', 'keys', 'snapshots']);

/** A repository that was adopted may lie deeper than ours do. */
const deepestRepository = 3;
/** Of those that hold no repository: a vault may lie beside much else. */
const mostFoldersLookedInto = 1000;

async function repositoriesIn(
  vault: PlainFiles,
  { location, storage }: VaultTask,
  { signal }: TaskContext,
): Promise<{ readonly whole: string[]; readonly broken: string[] }> {
  const whole: string[] = [];
  const broken: string[] = [];
  let pending = await vault.listFolders({ signal });
  let lookedInto = 0;
  for (let depth = 1; pending.length > 0 && depth <= deepestRepository; depth += 1) {
    const below: string[] = [];
    for (const folder of pending) {
      const hasConfig = (await vault.stat(`${folder}/config`, { signal })) !== undefined;
      if (depth === 1 && hasConfig) {
        whole.push(folder);
        continue;
      }
      if (depth > 1 && lookedInto >= mostFoldersLookedInto) continue;
      lookedInto += 1;
      const inner = await openPlainFiles(`${location}/${folder}`, storage).listFolders({ signal });
      // Deeper down there may be others' folders with a file of that name, such as `.git`.
      const isRepository = inner.some((name) => repositoryFolders.has(name));
      if (isRepository && hasConfig) whole.push(folder);
      else if (isRepository && depth === 1) broken.push(folder);
      else below.push(...inner.map((name) => `${folder}/${name}`));
    }
    pending = below;
  }
  return { whole, broken };
}

/**
 * Writes a file, reads, lists and removes it. How far the storage's clock is ahead of this one, in milliseconds.
 * @throws HoldfastError `storage-*`
 */
async function tryOut(vault: PlainFiles, { signal, clock }: TaskContext): Promise<number> {
  const name = `holdfast-test-${randomUUID()}`;
  const bytes = randomBytes(64);
  const beforeMs = clock.now();
  await vault.write(name, bytes, { signal });
  const nowMs = clock.now();
  let modifiedAtMs: number;
  try {
    modifiedAtMs = await requireKept(vault, { name, bytes }, { signal });
  } finally {
    await vault.remove(name, { signal });
  }
  if ((await vault.stat(name, { signal })) !== undefined) throw notKept(vault, 'removed');
  return clockAhead(modifiedAtMs, { beforeMs, nowMs });
}

/** When the storage says that it was written. */
async function requireKept(
  vault: PlainFiles,
  { name, bytes }: { readonly name: string; readonly bytes: Buffer },
  { signal }: Abortable,
): Promise<number> {
  if ((await vault.read(name, { signal }))?.equals(bytes) !== true) throw notKept(vault, 'read back');
  await vault.listFolders({ signal });
  const told = await vault.stat(name, { signal });
  if (told === undefined) throw notKept(vault, 'found again');
  return told.modifiedAtMs;
}

/** Storage tells whole seconds: within these and the time that writing took, nothing is wrong. */
function clockAhead(
  toldMs: number,
  { beforeMs, nowMs }: { readonly beforeMs: number; readonly nowMs: number },
): number {
  if (toldMs > nowMs) return Math.round(toldMs - nowMs);
  const earliestMs = Math.floor(beforeMs / 1000) * 1000;
  return toldMs < earliestMs ? Math.round(toldMs - earliestMs) : 0;
}

function notKept({ location }: PlainFiles, what: string): HoldfastError {
  return new HoldfastError(
    'storage-unreachable',
    `A file that was written to ${location} could not be ${what}.`,
    {
      hint: 'What is there does not keep what it is given: look at it, and do not keep backups there.',
      context: { location },
    },
  );
}

async function spaceOf(location: string): Promise<{ freeBytes: number; totalBytes: number } | null> {
  if (isRemoteLocation(location)) return null;
  const { bavail, blocks, bsize } = await statfs(location);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
