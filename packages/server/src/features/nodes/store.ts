import { type Clock, HoldfastError } from '@holdfast/base';
import type { NodeId } from '@holdfast/protocol';
import type { Catalog, Tx } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import type { NodeTable } from '../../catalog/tables.ts';

export interface NodeRecord {
  readonly id: NodeId;
  readonly name: string;
  readonly dockerHost: string;
  /** What tells the engine from all others, once it has answered. */
  readonly engineId: string | null;
  readonly createdAtMs: number;
}

export interface NewNode {
  readonly name: string;
  readonly dockerHost: string;
  readonly engineId: string;
}

/** Docker Engines that Holdfast reaches. One that was removed stays as a row, for what its environments have in backups. */
export interface NodeStore {
  /** Makes the node of this name, or gives it this address. */
  ensure(name: string, dockerHost: string): Promise<NodeRecord>;
  setEngineId(id: NodeId, engineId: string): Promise<void>;
  /** Those that were not removed, by name. */
  list(): Promise<readonly NodeRecord[]>;
  /**
   * An engine that had been removed is the node that it was, under the new name and address.
   * @throws HoldfastError `node-exists` for a name or an engine that a node has
   */
  add(node: NewNode): Promise<NodeRecord>;
  remove(id: NodeId, tx: Tx): Promise<void>;
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
        .values({
          id: ids.node(),
          name,
          docker_host: dockerHost,
          engine_id: null,
          created_at: clock.now(),
          removed_at: null,
        })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ docker_host: dockerHost }))
        .returningAll()
        .executeTakeFirstOrThrow();
      return toRecord(row);
    },

    setEngineId: async (id, engineId) => {
      await catalog.db.updateTable('node').set({ engine_id: engineId }).where('id', '=', id).execute();
    },

    list: async () => {
      const rows = await catalog.db
        .selectFrom('node')
        .selectAll()
        .where('removed_at', 'is', null)
        .orderBy('name')
        .execute();
      return rows.map(toRecord);
    },

    add: async (node) =>
      await catalog.write(async (tx) => {
        const { name, dockerHost: docker_host, engineId: engine_id } = node;
        const rows = await tx
          .selectFrom('node')
          .selectAll()
          .where((row) => row.or([row('name', '=', name), row('engine_id', '=', engine_id)]))
          .execute();
        const same = rows.find((row) => row.engine_id === engine_id);
        if (same?.removed_at === null) throw sameEngine(node, same.name);
        if (rows.some((row) => row !== same)) throw sameName(name);
        if (same !== undefined) {
          const change = { name, docker_host, removed_at: null };
          await tx.updateTable('node').set(change).where('id', '=', same.id).execute();
          return toRecord({ ...same, ...change });
        }
        const row = {
          ...{ id: ids.node(), name, docker_host, engine_id },
          ...{ created_at: clock.now(), removed_at: null },
        };
        await tx.insertInto('node').values(row).execute();
        return toRecord(row);
      }),

    remove: async (id, tx) => {
      await tx.updateTable('node').set({ removed_at: clock.now() }).where('id', '=', id).execute();
    },
  };
}

function toRecord(row: NodeTable): NodeRecord {
  return {
    id: row.id,
    name: row.name,
    dockerHost: row.docker_host,
    engineId: row.engine_id,
    createdAtMs: row.created_at,
  };
}

function sameEngine({ dockerHost }: NewNode, name: string): HoldfastError {
  return new HoldfastError('node-exists', `The Docker Engine at ${dockerHost} is the node ${name} already.`, {
    hint: 'Its environments are listed by holdfast environment:list.',
    context: { node: name, dockerHost },
  });
}

function sameName(name: string): HoldfastError {
  return new HoldfastError('node-exists', `A node ${name} is there, or was, with another Docker Engine.`, {
    hint: 'Choose another name: that one stands for what its environments have in backups.',
    context: { node: name },
  });
}
