import type { Clock } from '@holdfast/base';
import { type Right, rights, type TokenId } from '@holdfast/protocol';
import { z } from 'zod';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import { jsonColumn } from '../../catalog/json-column.ts';

export interface TokenRecord {
  readonly id: TokenId;
  readonly name: string;
  readonly rights: readonly Right[];
}

export interface NewToken {
  readonly name: string;
  /** SHA-256 of the token, in hexadecimal. */
  readonly hash: string;
  readonly rights: readonly Right[];
}

export interface TokenStore {
  /** Makes the token of this name, or takes the place of the one that had it, which is void from then on. */
  put(token: NewToken): Promise<TokenRecord>;
  findByHash(hash: string): Promise<TokenRecord | undefined>;
}

export interface TokenStoreOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly ids: Ids;
}

const rightsColumn = jsonColumn('token.rights', z.array(z.string()));

export function createTokenStore({ catalog, clock, ids }: TokenStoreOptions): TokenStore {
  return {
    put: async ({ name, hash, rights: granted }) => {
      const values = { hash, rights: rightsColumn.write([...granted]) };
      const { id } = await catalog.db
        .insertInto('token')
        .values({ id: ids.token(), name, created_at: clock.now(), ...values })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(values))
        .returning('id')
        .executeTakeFirstOrThrow();
      return { id, name, rights: granted };
    },
    findByHash: async (hash) => {
      const row = await catalog.db
        .selectFrom('token')
        .selectAll()
        .where('hash', '=', hash)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const granted = new Set(rightsColumn.read(row.rights));
      // A right that this version does not know grants nothing here, and stays in the row for the one that does.
      return { id: row.id, name: row.name, rights: rights.filter((right) => granted.has(right)) };
    },
  };
}
