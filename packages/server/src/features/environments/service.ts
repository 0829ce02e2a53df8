import { type Abortable, HoldfastError } from '@holdfast/base';
import type { ProtectedPath } from '@holdfast/docker';
import type { BackupId, BackupIntegrationChange, Component, EnvironmentId, NodeId } from '@holdfast/protocol';
import type { ServerPlace } from '../../runner/server-place.ts';
import type { NodeService } from '../nodes/service.ts';
import { changeSettings } from './commands/change-settings.ts';
import type { BackupSettings } from './commands/component-settings.ts';
import type { ComponentSettingStore } from './commands/setting-store.ts';
import type { EnvironmentRecord } from './environment-record.ts';
import type { EnvironmentStore } from './store.ts';
import { type EnvironmentSurvey, type NodeSurvey, surveyNode, toDiscovered } from './survey.ts';

/**
 * Environments: what the node shows now, put beside what the catalog knows.
 *
 * `list` and `survey` ask the engine: they throw `docker-unreachable`.
 */
export interface EnvironmentService {
  /** All, active and inactive, as they are now. */
  list(options?: Abortable): Promise<readonly EnvironmentRecord[]>;
  /** @throws HoldfastError `environment-unknown` naming those that there are, `environment-ambiguous` */
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
  /** From the catalog alone: one with a restore of this backup that was cut off. */
  findUnfinished(backupId: BackupId): Promise<EnvironmentRecord | undefined>;
}

export interface EnvironmentServiceOptions {
  readonly store: EnvironmentStore;
  readonly settings: ComponentSettingStore;
  readonly nodes: NodeService;
  readonly serverPlace: ServerPlace;
  /** Holdfast's own data and vaults: no mount there is ever included. */
  readonly ownPaths: readonly ProtectedPath[];
}

interface Look {
  readonly nodeId: NodeId;
  readonly node: NodeSurvey;
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
  async function look({ signal }: Abortable): Promise<Look> {
    const { node, docker } = await nodes.connectLocal({ signal });
    const settings = await settingsByName(node.id);
    const settingsOf = (name: string) => settings.get(name);
    const survey = await surveyNode({ docker, serverPlace, ownPaths, settingsOf, signal });
    // Volumes alone tell less than what was last seen of the whole.
    const active = [...survey.environments.values()].filter(
      ({ environment }) => environment.state === 'active',
    );
    await store.sync(node.id, active.map(toDiscovered));
    return { nodeId: node.id, node: survey, records: await store.list() };
  }

  return {
    list: async ({ signal } = {}) => (await look({ signal })).records,

    survey: async (idOrName, { signal } = {}) => survey(await look({ signal }), idOrName),

    changeComponent: async (idOrName, component, change, { signal } = {}) => {
      const { record } = survey(await look({ signal }), idOrName);
      requireComponent(record, component);
      await settingStore.change(record.id, component, (settings) => changeSettings(settings, change));
      return survey(await look({ signal }), record.id);
    },

    find: async (idOrName) => pick(idOrName, await store.list()),
    get: async (id) => await store.get(id),
    findUnfinished: async (backupId) =>
      (await store.list()).find(({ unfinishedRestore }) => unfinishedRestore?.backupId === backupId),
  };
}

function survey({ nodeId, node, records }: Look, idOrName: string): EnvironmentSurvey {
  const record = pick(idOrName, records);
  const { docker, host, resolvePaths, protectedPaths } = node;
  const now = record.nodeId === nodeId ? node.environments.get(record.name) : undefined;
  return {
    record,
    docker,
    host,
    resolvePaths,
    protectedPaths,
    environment: now?.environment,
    mounts: now?.mounts ?? [],
    commands: now?.commands ?? new Map(),
    warnings: now?.warnings ?? [],
  };
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

function pick(idOrName: string, records: readonly EnvironmentRecord[]): EnvironmentRecord {
  const byId = records.find((record) => record.id === idOrName);
  if (byId !== undefined) return byId;
  const [first, ...others] = records.filter((record) => record.name === idOrName);
  if (first === undefined) throw unknown(idOrName, records);
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
