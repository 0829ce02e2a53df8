import type { Abortable } from '@holdfast/base';
import { connectDocker, type DockerEngine } from '@holdfast/docker';
import type { NodeRecord, NodeStore } from './store.ts';

/** A node whose engine has answered. */
export interface ConnectedNode {
  readonly node: NodeRecord;
  readonly docker: DockerEngine;
}

/** The Docker Engines that Holdfast reaches: for now, one. */
export interface NodeService {
  /** @throws HoldfastError `docker-unreachable` when its engine does not answer now; the next call tries anew */
  connectLocal(options?: Abortable): Promise<ConnectedNode>;
}

export interface NodeServiceOptions {
  readonly store: NodeStore;
  readonly dockerHost: string;
}

/** The name of the only node. */
export const localNodeName = 'local';

export function createNodeService({ store, dockerHost }: NodeServiceOptions): NodeService {
  let connected: ConnectedNode | undefined;

  return {
    connectLocal: async ({ signal } = {}) => {
      if (connected !== undefined) return connected;
      const docker = await connectDocker({ host: dockerHost, signal });
      const { id: engineId } = await docker.info({ signal });
      const node = await store.ensure(localNodeName, dockerHost);
      if (node.engineId !== engineId) await store.setEngineId(node.id, engineId);
      connected = { node: { ...node, engineId }, docker };
      return connected;
    },
  };
}
