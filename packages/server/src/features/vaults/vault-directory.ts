import { access, constants, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import { type VaultId, type VaultMarker, vaultMarkerName, vaultMarkerSchema } from '@holdfast/protocol';
import { makePrivateDirectory } from '../../secrets/private-directory.ts';
import { makePrivateFile, readIfThere } from '../../secrets/private-file.ts';
import type { Room } from './room.ts';

/**
 * The marker of a vault's directory, or undefined where there is none.
 *
 * @throws HoldfastError `storage-unreachable`, or `vault-missing` when the marker was damaged
 */
export async function readMarker(directory: string): Promise<VaultMarker | undefined> {
  const path = join(directory, vaultMarkerName);
  let text: string | undefined;
  try {
    text = await readIfThere(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOTDIR') return undefined;
    throw new HoldfastError(
      'storage-unreachable',
      `The vault's ${path} cannot be read (${code ?? 'unknown'}).`,
      {
        hint: 'Check that its file system is mounted and that the server may read it.',
        context: { path },
        cause: error,
      },
    );
  }
  if (text === undefined) return undefined;
  const parsed = vaultMarkerSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new HoldfastError('vault-missing', `${path} is not the marker of a vault.`, {
    hint: 'Put back the file from a copy of the vault.',
    context: { path },
  });
}

/**
 * Makes the directory and its marker. Only for a vault that never held a repository.
 *
 * @throws HoldfastError `storage-not-writable`, `storage-full`
 */
export async function makeVaultDirectory(
  directory: string,
  vault: { readonly id: VaultId; readonly name: string },
): Promise<void> {
  const marker: VaultMarker = { version: 1, id: vault.id, name: vault.name };
  try {
    await makePrivateDirectory(directory);
    await makePrivateFile(join(directory, vaultMarkerName), `${JSON.stringify(marker)}\n`);
  } catch (error) {
    throw notWritable(directory, error);
  }
}

/** @throws HoldfastError `storage-not-writable` */
export async function requireWritable(directory: string): Promise<void> {
  try {
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw notWritable(directory, error);
  }
}

/** Whether a folder of the vault still holds a repository. */
export async function holdsRepository(directory: string, folder: string): Promise<boolean> {
  try {
    return (await stat(join(directory, folder, 'config'))).isFile();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw unreadable(directory, error);
  }
}

/** The room in the file system that a directory is on; null where it cannot be looked at. */
export async function spaceOf(directory: string): Promise<Room | null> {
  try {
    const { bsize, bavail, blocks } = await statfs(directory);
    return { freeBytes: bsize * bavail, totalBytes: bsize * blocks };
  } catch {
    // Whether it is there, the vault's status says.
    return null;
  }
}

function unreadable(directory: string, cause: unknown): HoldfastError {
  const code = systemErrorCode(cause) ?? 'unknown';
  return new HoldfastError('storage-unreachable', `The vault ${directory} cannot be read (${code}).`, {
    hint: 'Check that the server may read it.',
    context: { directory },
    cause,
  });
}

function notWritable(directory: string, cause: unknown): HoldfastError {
  const code = systemErrorCode(cause) ?? 'unknown';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new HoldfastError('storage-full', `The vault ${directory} has no room left.`, {
      hint: 'Make room there, or let the vault be elsewhere (--vault).',
      context: { directory },
      cause,
    });
  }
  return new HoldfastError('storage-not-writable', `The vault ${directory} cannot be written (${code}).`, {
    hint: 'Let the user that runs the server write there, or choose another directory (--vault).',
    context: { directory, reason: code },
    cause,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
