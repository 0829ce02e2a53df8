import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Right, rights } from '@holdfast/protocol';
import { readIfThere, writePrivateFile } from '../../secrets/private-file.ts';
import type { TokenStore } from './store.ts';

export interface Authenticated {
  readonly name: string;
  readonly rights: readonly Right[];
}

export interface TokenService {
  /** Whose token it is; undefined for one that nobody has. */
  authenticate(token: string): Promise<Authenticated | undefined>;
  /**
   * Sees to it that the file `token` of the data directory (mode 0600) holds a token with all rights: how programs on
   * this machine call the server. Where the file is gone, a new one takes the old one's place.
   *
   * @param serverId which of the servers that share a catalog this is
   */
  ensureLocal(dataDirectory: string, serverId: string): Promise<void>;
}

export function createTokenService(store: TokenStore): TokenService {
  return {
    authenticate: async (token) => await store.findByHash(hashOf(token)),

    ensureLocal: async (dataDirectory, serverId) => {
      const path = join(dataDirectory, 'token');
      const name = `local-${serverId}`;
      const present = (await readIfThere(path))?.trim() ?? '';
      const owner = isToken(present) ? await store.findByHash(hashOf(present)) : undefined;
      // A token that came with a copy of another data directory stays that one's.
      const isOurs = isToken(present) && (owner === undefined || owner.name === name);
      const token = isOurs ? present : newToken();
      await store.put({ name, hash: hashOf(token), rights });
      if (token !== present) await writePrivateFile(path, `${token}\n`);
    },
  };
}

/** 256 random bits behind a prefix by which a token is known for one where it should not be. */
function newToken(): string {
  return `hf_${randomBytes(32).toString('base64url')}`;
}

function isToken(text: string): boolean {
  return /^hf_[\w-]{43}$/.test(text);
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
