import type { JsonObject } from '../engine-port/json-object.ts';
import { textAt, textsAt } from './json-access.ts';

const modes = ['NetworkMode', 'PidMode', 'IpcMode', 'Cgroup'] as const;
const prefix = 'container:';

/**
 * The same `HostConfig` with every container that it refers to called by another id or name: those whose namespaces it
 * shares, whose volumes it takes over, that it is linked to.
 */
export function renameReferences(hostConfig: JsonObject, rename: (container: string) => string): JsonObject {
  const changed: Record<string, JsonObject[string]> = { ...hostConfig };
  for (const mode of modes) {
    const container = containerOfMode(hostConfig, mode);
    if (container !== undefined) changed[mode] = `${prefix}${rename(container)}`;
  }
  const from = textsAt(hostConfig, 'VolumesFrom');
  if (from.length > 0) changed.VolumesFrom = from.map((text) => renameFirst(text, rename));
  const links = textsAt(hostConfig, 'Links');
  if (links.length > 0) changed.Links = links.map((text) => renameFirst(toLink(text), rename));
  return changed;
}

/** The ids or names of all containers that a `HostConfig` refers to. */
export function referencesOf(hostConfig: JsonObject): readonly string[] {
  const found: string[] = [];
  renameReferences(hostConfig, (container) => {
    found.push(container);
    return container;
  });
  return found;
}

/** The container whose network, processes or IPC it shares; `undefined` where it shares no container's. */
export function containerOfMode(hostConfig: JsonObject, mode: (typeof modes)[number]): string | undefined {
  const text = textAt(hostConfig, mode);
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

/** `name:rest` */
export function renameFirst(text: string, rename: (container: string) => string): string {
  const [name = '', ...rest] = text.split(':');
  return [rename(name), ...rest].join(':');
}

/** The engine tells `/db:/web/alias`, and takes `db:alias`. */
function toLink(text: string): string {
  const told = /^\/([^:]+):\/.*\/([^/]+)$/.exec(text);
  return told === null ? text : `${told[1]}:${told[2]}`;
}
