import { createHash } from 'node:crypto';
import { composeLabels, holdfastLabels } from '../discovery/labels.ts';
import type { EnvironmentModel } from './environment-model.ts';

/** What everything of a model is called in its clone. */
export interface CloneNames {
  container(name: string): string;
  /** As it is for a network that every engine has. */
  network(name: string): string;
  volume(name: string): string;
  project(name: string): string;
}

/** Each new name stands for one old name alone, and none is an old one. */
export function nameClone(model: EnvironmentModel, name: string): CloneNames {
  const anonymous = new Set(model.volumes.filter((each) => each.isAnonymous).map((each) => each.name));
  const networks = new Set(model.networks.map((network) => network.name));
  const rename = (old: string, hyphen: string): string => {
    const isNamedAfterProject =
      model.project !== null && (old.startsWith(`${model.project}-`) || old.startsWith(`${model.project}_`));
    return isNamedAfterProject ? `${name}${old.slice(model.project.length)}` : `${name}${hyphen}${old}`;
  };
  const containers = uniqueNames((old) => rename(old, '-'));
  const networkNames = uniqueNames((old) => rename(old, '_'));
  const volumes = uniqueNames((old) => (anonymous.has(old) ? unnamed(name, old) : rename(old, '_')));
  // In the model's order first, so that every later question has the same answer.
  for (const each of model.containers) containers(each.name);
  for (const each of model.networks) networkNames(each.name);
  for (const each of model.volumes) volumes(each.name);
  return {
    container: containers,
    network: (old) => (networks.has(old) ? networkNames(old) : old),
    volume: volumes,
    project: (old) => (model.project === null || old === model.project ? name : `${name}-${old}`),
  };
}

export interface LabelsOptions {
  readonly names: CloneNames;
  readonly path: (path: string) => string;
  /** Of the clone. */
  readonly environment: string;
}

/** Labels that say where something belongs say that it belongs to the clone. */
export function cloneLabels(
  labels: Readonly<Record<string, string>>,
  { names, path, environment }: LabelsOptions,
): Record<string, string> {
  const changes: Readonly<Record<string, (value: string) => string>> = {
    [composeLabels.project]: names.project,
    [composeLabels.workingDir]: path,
    [composeLabels.configFiles]: (files) => files.split(',').map(path).join(','),
    [composeLabels.environmentFiles]: (files) => files.split(',').map(path).join(','),
    [holdfastLabels.environment]: () => environment,
  };
  return Object.fromEntries(
    Object.entries(labels).map(([label, value]) => [label, changes[label]?.(value) ?? value]),
  );
}

function uniqueNames(rename: (old: string) => string): (old: string) => string {
  const known = new Map<string, string>();
  const taken = new Set<string>();
  return (old) => {
    const before = known.get(old);
    if (before !== undefined) return before;
    const wanted = rename(old);
    let name = wanted;
    for (let number = 2; taken.has(name); number += 1) name = `${wanted}-${number}`;
    taken.add(name);
    known.set(old, name);
    return name;
  };
}

/** As the engine makes them up, so that it is taken for one. */
function unnamed(clone: string, old: string): string {
  return createHash('sha256').update(`${clone}\0${old}`).digest('hex');
}
