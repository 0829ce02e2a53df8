import { randomBytes } from 'node:crypto';
import { lstat, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '@holdfast/base';
import { isOwnerGone, ownOwner } from './probe-owner.ts';
import { restoreModifiedTime } from './restore-modified-time.ts';

/** The owner's signature, then the nonce itself. */
const namePattern = /^\.holdfast-probe-([0-9a-f.-]+)-[0-9a-f]{32}$/;

/** An empty file whose name is the nonce; it needs no free space. Disposing removes it. */
export interface NonceFile extends AsyncDisposable {
  readonly name: string;
}

export type NonceOutcome =
  | { readonly written: true; readonly nonce: NonceFile }
  | { readonly written: false; readonly reason: string };

/**
 * Puts a nonce into a folder, after removing those that cut-off runs have left there. On disposal the folder gets back
 * the modification time that it had, unless somebody else changed the folder meanwhile.
 */
export async function writeNonce(folder: string): Promise<NonceOutcome> {
  await removeLeftNonces(folder);
  const before = await lstat(folder, { bigint: true });
  const name = `.holdfast-probe-${ownOwner()}-${randomBytes(16).toString('hex')}`;
  const path = join(folder, name);
  try {
    const file = await open(path, 'wx', 0o600);
    await file.close();
  } catch (error) {
    return {
      written: false,
      reason: `${folder} cannot be written to (${systemErrorCode(error) ?? 'unknown'})`,
    };
  }
  const withNonce = await lstat(folder, { bigint: true });
  return {
    written: true,
    nonce: {
      name,
      async [Symbol.asyncDispose]() {
        const now = await lstat(folder, { bigint: true });
        await rm(path, { force: true });
        if (now.mtimeNs === withNonce.mtimeNs) await restoreModifiedTime(folder, before.mtimeNs);
      },
    },
  };
}

/** Removes the nonces of processes that have ended. A folder that is not there has none. */
export async function removeLeftNonces(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    const owner = namePattern.exec(name)?.[1];
    if (owner === undefined || !isOwnerGone(owner)) continue;
    const path = join(folder, name);
    const file = await lstat(path);
    if (file.isFile() && file.size === 0) await rm(path, { force: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
