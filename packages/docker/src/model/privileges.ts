import type { JsonObject } from '../engine-port/json-object.ts';
import { isWithin } from '../mounts/path-containment.ts';
import { boundPath, declaredMounts, isMachinesOwn, isSystemPath } from './declared-mounts.ts';
import type { ContainerModel, EnvironmentModel } from './environment-model.ts';
import { numberAt, objectAt, objectsAt, textAt, textsAt } from './json-access.ts';

/** Modes of namespaces: by which fields, and what a container that is not on its own there sees. */
const namespaces = {
  PidMode: 'processes',
  IpcMode: 'shared memory',
  NetworkMode: 'network',
  UTSMode: 'host name',
  UsernsMode: 'users',
  CgroupnsMode: 'control groups',
  Cgroup: 'control groups',
} as const;

const engineSockets = ['/var/run/docker.sock', '/run/docker.sock', '/run/containerd', '/run/podman'];

/** As the engine sets them where nobody asks for anything. */
const usualRuntimes = ['', 'runc', 'io.containerd.runc.v2'];

export type PrivilegeFacts = Pick<EnvironmentModel, 'folder' | 'volumes' | 'containers'>;

/**
 * What lets a container do more to its machine than an ordinary one, as clauses that are the same for the same thing:
 * `is privileged`, `has the capability NET_ADMIN`, `mounts /etc of the machine for writing`.
 */
export function privilegesOf(container: ContainerModel, facts: PrivilegeFacts): readonly string[] {
  const { hostConfig } = container;
  const found = [
    ...(hostConfig.Privileged === true ? ['is privileged'] : []),
    ...textsAt(hostConfig, 'CapAdd').map(
      (name) => `has the capability ${name.replace(/^CAP_/i, '').toUpperCase()}`,
    ),
    ...deviceClauses(hostConfig),
    ...namespaceClauses(hostConfig, facts),
    ...textsAt(hostConfig, 'SecurityOpt')
      .filter((option) => !/^no-new-privileges(?:[:=]true)?$/.test(option))
      .map((option) => `has the security option ${option.slice(0, 200)}`),
    ...Object.keys(objectAt(hostConfig, 'Sysctls')).map((name) => `sets the kernel's ${name}`),
    ...textsAt(hostConfig, 'GroupAdd').map((group) => `is in the group ${group}`),
    ...mountClauses(container, facts),
    ...otherClauses(hostConfig),
  ];
  return [...new Set(found)].sort();
}

/**
 * What a model asks for that the environment as it runs does not have, as sentences: each component is compared with the
 * one of its name.
 */
export function addedPrivileges(model: EnvironmentModel, running: EnvironmentModel): readonly string[] {
  const added = model.containers.flatMap((container) => {
    const granted = new Set(
      running.containers
        .filter(({ component }) => component === container.component)
        .flatMap((each) => privilegesOf(each, running)),
    );
    return privilegesOf(container, model)
      .filter((clause) => !granted.has(clause))
      .map((clause) => `${container.component} ${clause}.`);
  });
  return [...new Set(added)];
}

function deviceClauses(hostConfig: JsonObject): string[] {
  return [
    ...objectsAt(hostConfig, 'Devices').map(
      (device) =>
        `has the device ${textAt(device, 'PathOnHost')} (${textAt(device, 'CgroupPermissions') || 'rwm'})`,
    ),
    ...textsAt(hostConfig, 'DeviceCgroupRules').map((rule) => `may use devices by the rule ${rule}`),
    ...objectsAt(hostConfig, 'DeviceRequests').map(
      (request) => `has devices of the driver ${textAt(request, 'Driver') || 'that offers them'}`,
    ),
  ];
}

/** Another container of the same environment is no way out of it. */
function namespaceClauses(hostConfig: JsonObject, { containers }: PrivilegeFacts): string[] {
  const own = new Set(containers.map(({ name }) => name));
  const from = textsAt(hostConfig, 'VolumesFrom')
    .map((text) => text.split(':')[0] ?? '')
    .filter((name) => !own.has(name))
    .map((name) => `has the volumes of the container ${name}`);
  const modes = Object.entries(namespaces).flatMap(([field, what]) => {
    const mode = textAt(hostConfig, field);
    if (mode === 'host') return [`shares the machine's ${what}`];
    const other = mode.startsWith('container:') ? mode.slice('container:'.length) : undefined;
    return other === undefined || own.has(other) ? [] : [`shares the ${what} of the container ${other}`];
  });
  return [...modes, ...from];
}

function mountClauses(container: ContainerModel, { folder, volumes }: PrivilegeFacts): string[] {
  return declaredMounts(container).flatMap(({ kind, source, isReadOnly }) => {
    const volume = volumes.find(({ name }) => kind === 'volume' && name === source);
    if (
      volume?.driver === 'local' &&
      volume.options.device !== undefined &&
      volume.options.type !== 'tmpfs'
    ) {
      const path = boundPath(volume) ?? volume.options.device;
      return isInside(path, folder) ? [] : [`has ${path} as a volume`];
    }
    if (kind === 'volume') return [];
    if (engineSockets.some((socket) => isWithin(socket, source) || isWithin(source, socket))) {
      return [`has the engine's socket, and so the whole machine, by ${source}`];
    }
    const isHarmless = isMachinesOwn({ source, isReadOnly }) && !isSystemPath(source);
    if (isInside(source, folder) || isHarmless) return [];
    return [`mounts ${source} of the machine ${isReadOnly ? 'for reading' : 'for writing'}`];
  });
}

function isInside(path: string, folder: string | null): boolean {
  return folder !== null && folder !== '/' && isWithin(path, folder);
}

function otherClauses(hostConfig: JsonObject): string[] {
  const parent = textAt(hostConfig, 'CgroupParent');
  const runtime = textAt(hostConfig, 'Runtime');
  // Where the engine masks nothing, both are empty lists; null stands for its own choice.
  const isUnmasked = (name: string) =>
    Array.isArray(hostConfig[name]) && textsAt(hostConfig, name).length === 0;
  return [
    ...(parent === '' ? [] : [`is in the control group ${parent}`]),
    ...(usualRuntimes.includes(runtime) ? [] : [`runs by ${runtime}`]),
    ...(isUnmasked('MaskedPaths') ? ["sees the kernel's hidden files"] : []),
    ...(isUnmasked('ReadonlyPaths') ? ["may write to the kernel's files"] : []),
    ...(hostConfig.OomKillDisable === true ? ['is never ended for want of memory'] : []),
    ...(numberAt(hostConfig, 'OomScoreAdj') < 0 ? ['is ended late for want of memory'] : []),
  ];
}
