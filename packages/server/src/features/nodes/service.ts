import { type Abortable, HoldfastError, throwIfAborted, toHoldfastError } from '@holdfast/base';
import { connectDocker, type DockerEngine, viewHost } from '@holdfast/docker';
import type { Node, NodeId } from '@holdfast/protocol';
import type { Catalog, Tx } from '../../catalog/catalog.ts';
import type { NodeRecord, NodeStore } from './store.ts';

/** A node whose engine has answered. */
export interface ConnectedNode {
  readonly node: NodeRecord;
  readonly docker: DockerEngine;
}

/** One whose engine did not, or is not the one that it was. */
export interface FailedNode {
  readonly node: NodeRecord;
  readonly failure: HoldfastError;
}

/**
 * The Docker Engines that Holdfast reaches: the one that the server was configured with, and those that were added.
 * Each call to an engine that does not answer tries anew.
 */
export interface NodeService {
  /** The server's own. @throws HoldfastError `docker-unreachable` */
  connectLocal(options?: Abortable): Promise<ConnectedNode>;
  /** All, in no certain order. */
  connectAll(options?: Abortable): Promise<readonly (ConnectedNode | FailedNode)[]>;
  /** As `connectAll`, for one; undefined for a node that was removed. */
  connect(id: NodeId, options?: Abortable): Promise<ConnectedNode | FailedNode | undefined>;
  list(options?: Abortable): Promise<readonly Node[]>;
  /** Whether it answers or not. @throws HoldfastError `node-unknown` */
  find(idOrName: string): Promise<NodeRecord>;
  /** @throws HoldfastError `node-exists`, `docker-unreachable`, `configuration-invalid` for an address that is none */
  add(name: string, dockerHost: string, options?: Abortable): Promise<Node>;
  /**
   * Its environments stay, inactive, with their backups; added again, they are active again.
   * @throws HoldfastError `node-unknown`, `environment-busy` while a job works on one of them, `usage-invalid` for the
   *   server's own
   */
  remove(idOrName: string): Promise<void>;
}

export interface NodeServiceOptions {
  readonly catalog: Catalog;
  readonly store: NodeStore;
  readonly dockerHost: string;
  /** @throws HoldfastError `environment-busy` while a job of an environment on the node is queued or running */
  readonly requireIdle: (id: NodeId, tx: Tx) => Promise<void>;
  /** Its environments are there no more. */
  readonly onRemoved: (id: NodeId) => Promise<void>;
}

/** The name of the server's own node. */
export const localNodeName = 'local';

export function createNodeService(options: NodeServiceOptions): NodeService {
  const { catalog, store, dockerHost, requireIdle, onRemoved } = options;
  let local: ConnectedNode | undefined;
  const engines = new Map<string, DockerEngine>();

  async function connectLocal({ signal }: Abortable = {}): Promise<ConnectedNode> {
    if (local !== undefined) return local;
    const node = await store.ensure(localNodeName, dockerHost);
    const docker = await connectDocker({ host: dockerHost, signal });
    const engineId = await engineIdOf(docker, { signal });
    const other = (await store.list()).find((each) => each.engineId === engineId && each.id !== node.id);
    if (other !== undefined) throw isOther(dockerHost, other);
    if (node.engineId !== engineId) await store.setEngineId(node.id, engineId);
    local = { node: { ...node, engineId }, docker };
    return local;
  }

  /** The same object for the same address: whoever compares engines compares these. */
  async function engineAt(host: string, { signal }: Abortable): Promise<DockerEngine> {
    const docker = engines.get(host) ?? (await connectDocker({ host, signal }));
    engines.set(host, docker);
    return docker;
  }

  async function tryNode(node: NodeRecord, { signal }: Abortable): Promise<ConnectedNode | FailedNode> {
    try {
      if (node.name === localNodeName) return await connectLocal({ signal });
      const docker = await engineAt(node.dockerHost, { signal });
      if ((await engineIdOf(docker, { signal })) !== node.engineId) throw changed(node);
      return { node, docker };
    } catch (error) {
      throwIfAborted(signal);
      return { node, failure: toHoldfastError(error) };
    }
  }

  async function all(): Promise<readonly NodeRecord[]> {
    await store.ensure(localNodeName, dockerHost);
    return await store.list();
  }

  async function find(idOrName: string): Promise<NodeRecord> {
    const nodes = await all();
    const node = nodes.find(({ id, name }) => id === idOrName || name === idOrName);
    if (node === undefined) throw unknown(idOrName, nodes);
    return node;
  }

  async function connectAll({ signal }: Abortable = {}): Promise<readonly (ConnectedNode | FailedNode)[]> {
    return await Promise.all((await all()).map(async (node) => await tryNode(node, { signal })));
  }

  return {
    connectLocal,
    connectAll,
    connect: async (id, { signal } = {}) => {
      const node = (await all()).find((each) => each.id === id);
      return node === undefined ? undefined : await tryNode(node, { signal });
    },

    list: async ({ signal } = {}) =>
      await Promise.all((await connectAll({ signal })).map(async (node) => await toNode(node, { signal }))),

    add: async (name, host, { signal } = {}) => {
      const docker = await engineAt(host, { signal });
      // The server's own has to be known, to tell it from others.
      await connectLocal({ signal });
      const engineId = await engineIdOf(docker, { signal });
      const node = await store.add({ name, dockerHost: host, engineId });
      return await toNode({ node, docker }, { signal });
    },

    find,

    remove: async (idOrName) => {
      const node = await find(idOrName);
      if (node.name === localNodeName) throw isOwn();
      await catalog.write(async (tx) => {
        await requireIdle(node.id, tx);
        await store.remove(node.id, tx);
      });
      engines.delete(node.dockerHost);
      await onRemoved(node.id);
    },
  };
}

/** Engines before 23 take their id from a file of the machine, which all of them there share: none shares its folder. */
async function engineIdOf(docker: DockerEngine, { signal }: Abortable): Promise<string> {
  const { id, rootDir } = await docker.info({ signal });
  return `${id} ${rootDir}`;
}

async function toNode(connection: ConnectedNode | FailedNode, { signal }: Abortable): Promise<Node> {
  const { id, name, dockerHost, engineId, createdAtMs } = connection.node;
  const facts = { id, name, dockerHost, engineId, createdAtMs };
  if ('failure' in connection) {
    const { message } = connection.failure;
    return { ...facts, status: 'unreachable', error: message, limitation: null };
  }
  const host =
    name === localNodeName ? { isShared: true as const } : await viewHost(connection.docker, { signal });
  return { ...facts, status: 'ok', error: null, limitation: host.isShared ? null : host.reason };
}

function changed({ name, dockerHost }: NodeRecord): HoldfastError {
  return new HoldfastError(
    'node-changed',
    `Another Docker Engine answers at ${dockerHost} than the one that the node ${name} is.`,
    {
      hint: `Start the one that it was; or remove the node (holdfast node:remove ${name}) and add this one by another name.`,
      context: { node: name, dockerHost },
    },
  );
}

function isOther(host: string, { name }: NodeRecord): HoldfastError {
  return new HoldfastError('node-exists', `The server's own Docker Engine, ${host}, is the node ${name}.`, {
    hint: `Give the server the one that it had (docker-host), or another one.`,
    context: { node: name, dockerHost: host },
  });
}

function isOwn(): HoldfastError {
  return new HoldfastError('usage-invalid', "The server's own node cannot be removed.", {
    hint: 'Which engine it is, the setting docker-host says.',
  });
}

function unknown(node: string, nodes: readonly NodeRecord[]): HoldfastError {
  const known = nodes.map(({ name }) => name);
  return new HoldfastError('node-unknown', `There is no node ${node}.`, {
    hint: `There are: ${known.join(', ')}.`,
    context: { node, known },
  });
}
