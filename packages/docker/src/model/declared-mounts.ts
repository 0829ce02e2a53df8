import { posix } from 'node:path';
import type { JsonObject } from '../engine-port/json-object.ts';
import { isWithin } from '../mounts/path-containment.ts';
import type { ContainerModel, EnvironmentModel, VolumeModel } from './environment-model.ts';
import { objectsAt, textAt, textsAt } from './json-access.ts';

/** Files and folders of the machine that apps only read, and that are the same for all. */
const machineFiles = [
  '/etc/hosts',
  '/etc/localtime',
  '/etc/machine-id',
  '/etc/ssl/certs',
  '/etc/timezone',
  '/lib/modules',
  '/usr/share/ca-certificates',
  '/usr/share/zoneinfo',
];

/** One mount of a container, as its configuration asks for it. */
export interface DeclaredMount {
  readonly kind: 'volume' | 'bind';
  /** A volume's name, or a clean path on the engine's machine. */
  readonly source: string;
  readonly destination: string;
  readonly isReadOnly: boolean;
}

/** All volumes and binds of a container: those it is made with, and the volumes that it takes over from another. */
export function declaredMounts({ hostConfig, volumes }: ContainerModel): readonly DeclaredMount[] {
  const declared = [
    ...textsAt(hostConfig, 'Binds').map((text) => {
      const { source, destination, mode } = parseBind(text);
      return toDeclared({ source, destination, isReadOnly: mode.split(',').includes('ro') });
    }),
    ...objectsAt(hostConfig, 'Mounts')
      .filter(({ Type }) => Type === 'bind' || Type === 'volume')
      .map((mount) => toDeclared(mountFacts(mount))),
  ].filter(({ source }) => source !== '');
  const places = new Set(declared.map(({ destination }) => destination));
  return [
    ...declared,
    ...volumes
      .filter(({ destination }) => !places.has(cleanPath(destination)))
      .map(({ name, destination }) => toDeclared({ source: name, destination, isReadOnly: false })),
  ];
}

/** Each path of the machine that a model's containers get at, also by a volume's options; not what is the machine's own. */
export function boundPathsOf({
  containers,
  volumes,
}: Pick<EnvironmentModel, 'containers' | 'volumes'>): readonly string[] {
  const binds = containers
    .flatMap(declaredMounts)
    .filter((mount) => mount.kind === 'bind' && !isMachinesOwn(mount))
    .map(({ source }) => source);
  const devices = volumes.map(boundPath).filter((path) => path !== undefined);
  return [...new Set([...binds, ...devices])];
}

/** `source:/place[:mode]`, as it stands in `Binds`. */
export function parseBind(text: string): { source: string; destination: string; mode: string } {
  const [source = '', destination = '', ...mode] = text.split(':');
  return { source, destination, mode: mode.join(':') };
}

/** The path that a volume of the engine's own driver gives access to; `undefined` where it has storage of its own. */
export function boundPath({ driver, options }: Pick<VolumeModel, 'driver' | 'options'>): string | undefined {
  const { device = '' } = options;
  return driver === 'local' && device.startsWith('/') ? cleanPath(device) : undefined;
}

/** Absolute and without a slash at its end. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** Places of the machine that are no storage: sockets, devices, what the kernel tells. */
export function isSystemPath(path: string): boolean {
  return ['/proc', '/sys', '/dev', '/run', '/var/run'].some((folder) => isWithin(path, folder));
}

/** What is the machine's and no app's data: system paths, and files that all may read. */
export function isMachinesOwn({ source, isReadOnly }: Pick<DeclaredMount, 'source' | 'isReadOnly'>): boolean {
  return isSystemPath(source) || (isReadOnly && machineFiles.some((file) => isWithin(source, file)));
}

function mountFacts(mount: JsonObject) {
  return {
    source: textAt(mount, 'Source'),
    destination: textAt(mount, 'Target'),
    isReadOnly: mount.ReadOnly === true,
  };
}

function toDeclared({ source, destination, isReadOnly }: Omit<DeclaredMount, 'kind'>): DeclaredMount {
  const isPath = source.startsWith('/');
  return {
    kind: isPath ? 'bind' : 'volume',
    source: isPath ? cleanPath(source) : source,
    destination: cleanPath(destination),
    isReadOnly,
  };
}
