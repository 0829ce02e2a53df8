import { posix } from 'node:path';
import type { Container, Volume } from '../engine-port/engine-objects.ts';
import { collectMounts } from './collect-mounts.ts';
import type { CommandLabels, Component, Environment, EnvironmentType, Instance } from './environment.ts';
import { labelDurationMs } from './label-duration.ts';
import { composeLabels, holdfastLabels, labelList, labelText } from './labels.ts';
import { parseSetAsideName } from './set-aside-name.ts';

/** Everything on one engine, read at about one moment. */
export interface EngineInventory {
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

interface Member {
  readonly container: Container;
  readonly component: string;
}

/**
 * Groups an engine's containers into environments: by the label `holdfast.environment`, else by Compose project. A
 * Compose project that has only volumes left is an inactive environment. Containers of neither belong to none, nor does
 * one that is set aside because another takes its place.
 */
export function discoverEnvironments(inventory: EngineInventory): Environment[] {
  const containers = inventory.containers.filter(
    ({ name, labels }) =>
      labels[holdfastLabels.internal] === undefined && parseSetAsideName(name) === undefined,
  );
  const groups = Map.groupBy(containers, ({ labels }) => environmentName(labels));
  const owners = projectOwners(containers);
  const volumesOf = Map.groupBy(inventory.volumes, ({ labels }) => {
    const project = labelText(labels, composeLabels.project);
    return project === undefined ? undefined : (owners.get(project) ?? project);
  });
  const names = new Set([...groups.keys(), ...volumesOf.keys()].filter((name) => name !== undefined));
  return [...names].sort().map((name) => {
    const own = groups.get(name) ?? [];
    const ownVolumes = volumesOf.get(name) ?? [];
    return describeEnvironment({ name, own, ownVolumes, containers, volumes: inventory.volumes });
  });
}

function environmentName(labels: Container['labels']): string | undefined {
  return labelText(labels, holdfastLabels.environment) ?? labelText(labels, composeLabels.project);
}

/** To which environment a Compose project's volumes belong: its own name's, else the first that its containers are in. */
function projectOwners(containers: readonly Container[]): Map<string, string> {
  const owners = new Map<string, string>();
  const joined = containers.flatMap(({ labels }) => {
    const project = labelText(labels, composeLabels.project);
    const environment = environmentName(labels);
    return project === undefined || environment === undefined ? [] : [{ project, environment }];
  });
  joined.sort((a, b) => compare(a.environment, b.environment));
  for (const { project, environment } of joined) {
    if (environment === project || !owners.has(project)) owners.set(project, environment);
  }
  return owners;
}

interface EnvironmentFacts {
  readonly name: string;
  readonly own: readonly Container[];
  /** Volumes that carry the Compose project's label. */
  readonly ownVolumes: readonly Volume[];
  /** All of the engine's. */
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

function describeEnvironment(facts: EnvironmentFacts): Environment {
  const { name, own, ownVolumes } = facts;
  const members = own
    .map((container) => ({ container, component: componentName(container) }))
    .sort((a, b) => compare(a.component, b.component) || compare(a.container.name, b.container.name));
  const warnings: string[] = [];
  const labels = members.map(({ container }) => container.labels);
  const folders = distinct(labels.map((each) => labelText(each, composeLabels.workingDir)));
  const lasting = members.filter(({ container }) => !isOneOff(container));
  return {
    name,
    type: environmentType(members, warnings),
    state: own.length > 0 ? 'active' : 'inactive',
    project: distinct(labels.map((each) => labelText(each, holdfastLabels.project)))[0] ?? null,
    composeProject:
      distinct(
        [...labels, ...ownVolumes.map((volume) => volume.labels)].map((each) =>
          labelText(each, composeLabels.project),
        ),
      )[0] ?? null,
    folder: folders[0] ?? null,
    folders,
    configFiles: distinct(labels.flatMap(configFilesOf)),
    ...holdLimit(labels, warnings),
    components: describeComponents(lasting, warnings),
    oneOffs: members.filter(({ container }) => isOneOff(container)).map(toInstance),
    mounts: collectMounts({ ...facts, members }),
    warnings,
  };
}

function describeComponents(members: readonly Member[], warnings: string[]): Component[] {
  const groups = Map.groupBy(members, ({ component }) => component);
  return [...groups].map(([name, group]) => {
    const labels = group.map(({ container }) => container.labels);
    const backup = distinct(labels.map((each) => labelText(each, holdfastLabels.backup)));
    for (const value of backup.filter((text) => text !== 'true' && text !== 'false')) {
      warnings.push(`${holdfastLabels.backup}=${value} on component ${name} is neither true nor false.`);
    }
    return {
      name,
      isLeftOut: backup.includes('false'),
      include: distinct(labels.flatMap((each) => labelList(each, holdfastLabels.include))),
      exclude: distinct(labels.flatMap((each) => labelList(each, holdfastLabels.exclude))),
      command: commandLabels(labels),
      instances: group.map(toInstance),
    };
  });
}

function holdLimit(
  labels: readonly Container['labels'][],
  warnings: string[],
): { readonly holdLimitMs?: number } {
  const limits = distinct(labels.map((each) => labelText(each, holdfastLabels.holdLimit))).flatMap((text) => {
    const limitMs = labelDurationMs(text);
    if (limitMs === undefined)
      warnings.push(`${holdfastLabels.holdLimit}=${text} is no duration as in 20s or 1m.`);
    return limitMs ?? [];
  });
  return limits.length === 0 ? {} : { holdLimitMs: Math.min(...limits) };
}

function commandLabels(labels: readonly Container['labels'][]): CommandLabels {
  const first = (name: string) => distinct(labels.map((each) => labelText(each, name)))[0];
  return {
    preset: first(holdfastLabels.backupPreset),
    backup: {
      command: first(holdfastLabels.backupCommand),
      timeout: first(holdfastLabels.backupTimeout),
      cron: first(holdfastLabels.backupCron),
    },
    restore: {
      command: first(holdfastLabels.restoreCommand),
      timeout: first(holdfastLabels.restoreTimeout),
    },
    retention: first(holdfastLabels.retention),
  };
}

function environmentType(members: readonly Member[], warnings: string[]): EnvironmentType {
  const given = distinct(
    members.map(({ container }) => labelText(container.labels, holdfastLabels.environmentType)),
  );
  const types = given.filter((type) => type === 'production' || type === 'staging' || type === 'development');
  for (const value of given.filter((type) => !types.some((known) => known === type))) {
    warnings.push(`${holdfastLabels.environmentType}=${value} is none of production, staging, development.`);
  }
  if (types.length > 1) warnings.push(`The components name different types: ${types.join(', ')}.`);
  // Whoever says nothing is kept safest.
  return types.includes('production') ? 'production' : (types[0] ?? 'production');
}

function componentName({ labels, name }: Container): string {
  return labelText(labels, holdfastLabels.component) ?? labelText(labels, composeLabels.service) ?? name;
}

function isOneOff({ labels }: Container): boolean {
  return labels[composeLabels.oneOff]?.toLowerCase() === 'true';
}

function configFilesOf(labels: Container['labels']): string[] {
  const folder = labelText(labels, composeLabels.workingDir) ?? '/';
  return labelList(labels, composeLabels.configFiles).map((file) => posix.resolve(folder, file));
}

function toInstance({ container, component }: Member): Instance {
  return {
    containerId: container.id,
    name: container.name,
    component,
    status: container.state.status,
    health: container.state.health,
    startedAt: container.state.startedAt,
    imageId: container.imageId,
    restartPolicy: container.restartPolicy,
  };
}

function distinct(texts: readonly (string | undefined)[]): string[] {
  return [...new Set(texts.filter((text) => text !== undefined))];
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
