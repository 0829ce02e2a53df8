import { dirname, join } from 'node:path';
import { type Abortable, HoldfastError, throwIfAborted, toHoldfastError } from '@holdfast/base';
import { isProjectName, type ProtectedPath } from '@holdfast/docker';
import type { BackupId, BackupIntegrationChange, Component, EnvironmentId, NodeId } from '@holdfast/protocol';
import type { Tx } from '../../catalog/catalog.ts';
import type { ServerPlace } from '../../runner/server-place.ts';
import type { ConnectedNode, FailedNode, NodeService } from '../nodes/service.ts';
import { changeSettings } from './commands/change-settings.ts';
import type { BackupSettings } from './commands/component-settings.ts';
import type { ComponentSettingStore } from './commands/setting-store.ts';
import { requireNotDeleted } from './deletion.ts';
import type { EnvironmentRecord } from './environment-record.ts';
import type { EnvironmentStore } from './store.ts';
import { type EnvironmentSurvey, type NodeSurvey, surveyNode, toDiscovered } from './survey.ts';

export interface ListedEnvironment extends EnvironmentRecord {
  /** False where its node does not answer. */
  readonly isReachable: boolean;
}

export interface SurveyedRecord {
  readonly record: EnvironmentRecord;
  /** False where its node does not answer. */
  readonly isReachable: boolean;
  /** Undefined where its node does not answer, or was removed. */
  readonly survey: EnvironmentSurvey | undefined;
}

/**
 * Environments: what the nodes show now, put beside what the catalog knows.
 *
 * `list` and `survey` ask the engines. They throw `docker-unreachable` or `node-changed`: `list` where no node answers, `survey` where
 * that of the environment does not.
 */
export interface EnvironmentService {
  /** All, active and inactive, as they are now; those of a node that does not answer as they were last seen. */
  list(options?: Abortable): Promise<readonly ListedEnvironment[]>;
  /** The same, with what the nodes show; those that do not answer show nothing, and hide nothing. */
  surveyAll(options?: Abortable): Promise<readonly SurveyedRecord[]>;
  /** @throws HoldfastError `environment-unknown` naming those that there are, `environment-ambiguous`, `node-unknown` */
  survey(idOrName: string, options?: Abortable): Promise<EnvironmentSurvey>;
  /**
   * Changes what is set for a component; null takes back all. Answers the environment as it is then.
   * @throws HoldfastError as `survey`, `component-unknown`, `usage-invalid`
   */
  changeComponent(
    idOrName: string,
    component: string,
    change: BackupIntegrationChange | null,
    options?: Abortable,
  ): Promise<EnvironmentSurvey>;
  /** From the catalog alone, as it was last seen. @throws HoldfastError as `survey` */
  find(idOrName: string): Promise<EnvironmentRecord>;
  get(id: EnvironmentId): Promise<EnvironmentRecord | undefined>;
  /** All, from the catalog alone. */
  known(): Promise<readonly EnvironmentRecord[]>;
  /** From the catalog alone: one with a restore of this backup that was cut off. */
  findUnfinished(backupId: BackupId): Promise<EnvironmentRecord | undefined>;
  /**
   * One that is to be made of a backup, beside its parent: it has nothing yet.
   * @throws HoldfastError `usage-invalid` for what is no name of a Compose project, `environment-exists`,
   *   `environment-deleted` where it has the name of one that was
   */
  branch(branch: Branch, tx: Tx): Promise<EnvironmentRecord>;
}

export interface Branch {
  readonly name: string;
  readonly parent: EnvironmentRecord;
  readonly nodeId: NodeId;
}

export interface EnvironmentServiceOptions {
  readonly store: EnvironmentStore;
  readonly settings: ComponentSettingStore;
  readonly nodes: NodeService;
  readonly serverPlace: ServerPlace;
  /** Holdfast's own data and vaults: no mount there is ever included. */
  readonly ownPaths: () => Promise<readonly ProtectedPath[]>;
}

/** Of each node that was looked at: what it shows, or why it shows nothing. */
interface Look {
  readonly nodes: ReadonlyMap<NodeId, NodeSurvey | HoldfastError>;
  readonly records: readonly EnvironmentRecord[];
}

export function createEnvironmentService(options: EnvironmentServiceOptions): EnvironmentService {
  const { store, settings: settingStore, nodes, serverPlace, ownPaths } = options;

  async function settingsByName(nodeId: NodeId): Promise<Map<string, ReadonlyMap<string, BackupSettings>>> {
    const all = await settingStore.all();
    if (all.size === 0) return new Map();
    const known = (await store.list()).filter((record) => record.nodeId === nodeId);
    return new Map(known.map(({ id, name }) => [name, all.get(id) ?? new Map()]));
  }

  /** Reads the engine and brings the catalog in step with it. */
  async function lookAt({ node, docker }: ConnectedNode, { signal }: Abortable): Promise<NodeSurvey> {
    const settings = await settingsByName(node.id);
    const settingsOf = (name: string) => settings.get(name);
    const survey = await surveyNode({
      docker,
      serverPlace,
      ownPaths: await ownPaths(),
      settingsOf,
      signal,
    });
    // Volumes alone tell less than what was last seen of the whole.
    const active = [...survey.environments.values()].filter(
      ({ environment }) => environment.state === 'active',
    );
    await store.sync(node.id, active.map(toDiscovered));
    return survey;
  }

  async function tryLookAt(
    connection: ConnectedNode | FailedNode,
    { signal }: Abortable,
  ): Promise<NodeSurvey | HoldfastError> {
    if ('failure' in connection) return connection.failure;
    try {
      return await lookAt(connection, { signal });
    } catch (error) {
      throwIfAborted(signal);
      return toHoldfastError(error);
    }
  }

  /** At all nodes, or at those that are given: one that does not answer does not hide the others. */
  async function look(
    { signal }: Abortable,
    connections?: readonly (ConnectedNode | FailedNode)[],
  ): Promise<Look> {
    const looked = await Promise.all(
      (connections ?? (await nodes.connectAll({ signal }))).map(
        async (each) => [each.node.id, await tryLookAt(each, { signal })] as const,
      ),
    );
    return { nodes: new Map(looked), records: await store.list() };
  }

  /** By its id, only its own node is looked at: another one that is slow does not matter. */
  async function lookFor(idOrName: string, { signal }: Abortable): Promise<EnvironmentSurvey> {
    const known = await store.get(idOrName as EnvironmentId);
    if (known === undefined) return survey(await look({ signal }), idOrName);
    const connection = await nodes.connect(known.nodeId, { signal });
    return survey(await look({ signal }, connection === undefined ? [] : [connection]), known.id);
  }

  return {
    list: async ({ signal } = {}) => {
      const { nodes: looked, records } = await look({ signal });
      const failures = [...looked.values()].filter((each) => each instanceof HoldfastError);
      const [failure] = failures;
      if (failure !== undefined && failures.length === looked.size) throw failure;
      return records.map((record) => {
        return { ...record, isReachable: !(looked.get(record.nodeId) instanceof HoldfastError) };
      });
    },

    surveyAll: async ({ signal } = {}) => {
      const { nodes: looked, records } = await look({ signal });
      return records.map((record) => {
        const node = looked.get(record.nodeId);
        const isReachable = !(node instanceof HoldfastError);
        return { record, isReachable, survey: isReachable && node ? surveyIn(node, record) : undefined };
      });
    },

    survey: async (idOrName, { signal } = {}) => await lookFor(idOrName, { signal }),

    changeComponent: async (idOrName, component, change, { signal } = {}) => {
      const { record } = await lookFor(idOrName, { signal });
      requireComponent(record, component);
      await settingStore.change(record.id, component, (settings) => changeSettings(settings, change));
      return await lookFor(record.id, { signal });
    },

    find: async (idOrName) => pick(idOrName, await store.list()),
    get: async (id) => await store.get(id),
    known: async () => await store.list(),
    findUnfinished: async (backupId) =>
      (await store.list()).find(({ unfinishedRestore }) => unfinishedRestore?.backupId === backupId),

    branch: async ({ name, parent, nodeId }, tx) => {
      requireProjectName(name);
      const folder = parent.folder === null ? null : join(dirname(parent.folder), name);
      const id = await store.add({ nodeId, name, type: 'development', folder }, tx);
      const added = id === undefined ? undefined : await store.get(id, tx);
      if (added !== undefined) return added;
      const present = (await store.list(tx)).find((each) => each.nodeId === nodeId && each.name === name);
      if (present !== undefined) requireNotDeleted(present);
      throw new HoldfastError(
        'environment-exists',
        `There is an environment (Compose project) ${name} already.`,
        {
          hint: 'Choose another name. To overwrite that one, leave out --branch-from.',
          context: { name },
        },
      );
    },
  };
}

function survey({ nodes, records }: Look, idOrName: string): EnvironmentSurvey {
  const failure = [...nodes.values()].find((each) => each instanceof HoldfastError);
  const record = pick(idOrName, records, failure);
  const node = nodes.get(record.nodeId);
  if (node === undefined) throw nodeRemoved(record);
  if (node instanceof HoldfastError) throw node;
  return surveyIn(node, record);
}

function surveyIn(node: NodeSurvey, record: EnvironmentRecord): EnvironmentSurvey {
  const { docker, host, resolvePaths, changeFolders, protectedPaths } = node;
  const now = node.environments.get(record.name);
  return {
    record,
    docker,
    host,
    resolvePaths,
    changeFolders,
    protectedPaths,
    environment: now?.environment,
    mounts: now?.mounts ?? [],
    commands: now?.commands ?? new Map(),
    warnings: now?.warnings ?? [],
  };
}

function nodeRemoved({ name, nodeName }: EnvironmentRecord): HoldfastError {
  return new HoldfastError('node-unknown', `The node ${nodeName} of the environment ${name} was removed.`, {
    hint: `Add it again (holdfast node:add ${nodeName} --host …), or restore into another environment: --target.`,
    context: { node: nodeName },
  });
}

/** @throws HoldfastError `component-unknown` */
export function requireComponent({ name, seen }: EnvironmentRecord, component: string): Component {
  const found = seen.components.find((each) => each.name === component);
  if (found !== undefined) return found;
  const known = seen.components.map((each) => each.name);
  throw new HoldfastError('component-unknown', `The environment ${name} has no component ${component}.`, {
    hint: `It has: ${known.join(', ')}.`,
    context: { component, known },
  });
}

/** @throws HoldfastError `usage-invalid` */
function requireProjectName(name: string): void {
  if (isProjectName(name)) return;
  throw new HoldfastError('usage-invalid', `"${name}" is no name of a Compose project.`, {
    hint: 'It begins with a small letter or a digit, and has only these, - and _.',
    context: { name },
  });
}

/** @param failure why not all nodes could be looked at: what is not known may be there */
function pick(
  idOrName: string,
  records: readonly EnvironmentRecord[],
  failure?: HoldfastError,
): EnvironmentRecord {
  const byId = records.find((record) => record.id === idOrName);
  if (byId !== undefined) return byId;
  const [first, ...others] = records.filter((record) => record.name === idOrName);
  if (first === undefined) throw failure ?? unknown(idOrName, records);
  if (others.length === 0) return first;
  throw new HoldfastError(
    'environment-ambiguous',
    `Several environments (Compose projects) are called ${idOrName}.`,
    {
      hint: `Name it by its id: ${[first, ...others].map(({ id, nodeName }) => `${id} on ${nodeName}`).join(', ')}.`,
      context: { ids: [first, ...others].map(({ id }) => id) },
    },
  );
}

function unknown(name: string, records: readonly EnvironmentRecord[]): HoldfastError {
  const known = records.map((record) => record.name);
  return new HoldfastError('environment-unknown', `There is no environment (Compose project) ${name}.`, {
    hint:
      known.length === 0
        ? 'None was ever seen on this node. Start it with docker compose up.'
        : `Known: ${known.join(', ')}.`,
    context: { name, known },
  });
}
