import type { Clock } from '@holdfast/base';
import type { NodeId } from '@holdfast/protocol';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import type { NodeTable } from '../../catalog/tables.ts';

export interface NodeRecord {
  readonly id: NodeId;
  readonly name: string;
  readonly dockerHost: string;
  /** The engine's own id, once it has answered. */
  readonly engineId: string | null;
}

/** Docker Engines that Holdfast reaches. */
export interface NodeStore {
  /** Makes the node of this name, or gives it this address. */
  ensure(name: string, dockerHost: string): Promise<NodeRecord>;
  setEngineId(id: NodeId, engineId: string): Promise<void>;
}

export interface NodeStoreOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly ids: Ids;
}

export function createNodeStore({ catalog, clock, ids }: NodeStoreOptions): NodeStore {
  return {
    ensure: async (name, dockerHost) => {
      const row = await catalog.db
        .insertInto('node')
        .values({ id: ids.node(), name, docker_host: dockerHost, engine_id: null, created_at: clock.now() })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ docker_host: dockerHost }))
        .returningAll()
        .executeTakeFirstOrThrow();
      return toRecord(row);
    },
    setEngineId: async (id, engineId) => {
      await catalog.db.updateTable('node').set({ engine_id: engineId }).where('id', '=', id).execute();
    },
  };
}

function toRecord(row: NodeTable): NodeRecord {
  return { id: row.id, name: row.name, dockerHost: row.docker_host, engineId: row.engine_id };
}
