import { posix } from 'node:path';
import type { Component, Mount, VolumeSource } from '../discovery/environment.ts';
import { holdfastLabels } from '../discovery/labels.ts';
import { matchesSelector } from './mount-selector.ts';
import { neverReason, type ProtectedPath } from './never-paths.ts';
import { isWithin } from './path-containment.ts';
import type { ResolvedPath } from './resolve-path.ts';

export interface MountDecision {
  readonly included: boolean;
  /** One clause for people, true for yes and for no: `named volume`, `bind mount outside the project's folder …`. */
  readonly reason: string;
  /** It is left out though nobody said so and no rule says that nobody misses it: data that no backup has. */
  readonly isGap?: boolean;
  /** `holdfast.include` names it. */
  readonly isChosen?: boolean;
}

export interface MountFacts {
  /** The environment's components. */
  readonly components: readonly Component[];
  /** The projects' folders, each as it stands and with every link followed. */
  readonly folders: readonly { readonly path: string; readonly realPath: string }[];
  readonly protectedPaths: readonly ProtectedPath[];
  /**
   * Where the host path really leads that the mount gives access to (`hostPathOf`); null for a mount that gives access
   * to none.
   */
  readonly resolved: ResolvedPath | null;
}

/**
 * Whether a mount is backed up and restored, by DESIGN rule 10. What may never be touched stays out whatever labels say;
 * then components that are left out, then `holdfast.include` and `holdfast.exclude`, then what kind of mount it is.
 */
export function decideMount(mount: Mount, facts: MountFacts): MountDecision {
  if (mount.source.kind === 'tmpfs') return no('in memory: it is empty after every start');
  if (isInMemory(mount)) return no('a volume in memory: it is empty after every start');
  if (mount.source.kind === 'other') return gap(`a mount of type ${mount.source.type} cannot be backed up`);
  return neverDecision(mount, facts) ?? labelDecision(mount, facts) ?? kindDecision(mount, facts);
}

/** The path of the host that a mount gives access to: a bind's source, or what a volume's options bind. */
export function hostPathOf({ source }: Mount): string | null {
  switch (source.kind) {
    case 'bind':
      return source.path;
    case 'volume':
    case 'anonymous':
      return boundDevice(source);
    default:
      return null;
  }
}

function boundDevice({ driver, options }: VolumeSource): string | null {
  const device = options.device;
  const isLocalPath = driver === 'local' && device?.startsWith('/') === true;
  return isLocalPath ? posix.normalize(device) : null;
}

/** What a restore wrote there would be gone before its app starts. */
function isInMemory({ source }: Mount): boolean {
  if (source.kind !== 'volume' && source.kind !== 'anonymous') return false;
  const { driver, options } = source;
  return driver === 'local' && (options.type === 'tmpfs' || options.type === 'ramfs');
}

function neverDecision(mount: Mount, facts: MountFacts): MountDecision | undefined {
  const path = hostPathOf(mount);
  const { resolved, protectedPaths } = facts;
  const mountpoint = mountpointOf(mount);
  const inside = protectedPaths.find(
    ({ path: guarded }) => mountpoint !== undefined && isWithin(guarded, mountpoint),
  );
  if (inside !== undefined) return no(`never: it contains ${inside.what}`);
  if (path === null || resolved === null) return undefined;
  const asItStands = neverReason(posix.normalize(path), protectedPaths);
  if (asItStands !== undefined) return no(`never: ${asItStands}`);
  if (!resolved.resolved) return gap(`its path cannot be followed (${resolved.reason})`);
  const behindLinks = neverReason(resolved.path, protectedPaths);
  if (behindLinks !== undefined) return no(`never: it leads to ${resolved.path}, and ${behindLinks}`);
  const { type } = resolved;
  if (type === 'socket' || type === 'pipe') return no(`never: it is a ${type}`);
  // A volume may well be a file system on a block device.
  if (type === 'device' && mount.source.kind === 'bind') return no('never: it is a device');
  return undefined;
}

/** Where the engine keeps a volume; all are within Docker's own data, so that only what they contain says something. */
function mountpointOf({ source }: Mount): string | undefined {
  const isVolume = source.kind === 'volume' || source.kind === 'anonymous';
  return isVolume && source.mountpoint !== '' ? source.mountpoint : undefined;
}

function labelDecision(mount: Mount, { components, folders }: MountFacts): MountDecision | undefined {
  const users = components.filter(({ name }) => mount.points.some(({ component }) => component === name));
  const taking = users.filter(({ isLeftOut }) => !isLeftOut);
  if (users.length > 0 && taking.length === 0) {
    return no(`${holdfastLabels.backup}=false on ${namesOf(users)}`);
  }
  const names = (component: Component, selectors: readonly string[]) =>
    selectors.some((selector) =>
      matchesSelector({
        selector,
        mount,
        component: component.name,
        folders: folders.map(({ path }) => path),
      }),
    );
  const including = taking.filter((component) => names(component, component.include));
  if (including.length > 0) {
    const reason = `chosen by ${holdfastLabels.include} on ${namesOf(including)}`;
    return { included: true, reason, isChosen: true };
  }
  const excluding = taking.filter((component) => names(component, component.exclude));
  if (excluding.length > 0) return no(`left out by ${holdfastLabels.exclude} on ${namesOf(excluding)}`);
  return undefined;
}

function kindDecision(mount: Mount, { folders, resolved }: MountFacts): MountDecision {
  const { source } = mount;
  if (source.kind === 'volume') {
    return yes(
      mount.points.length > 0 ? 'named volume' : 'named volume of the project, mounted by no container now',
    );
  }
  if (source.kind === 'anonymous') return yes('anonymous volume');
  if (source.kind !== 'bind' || resolved === null || !resolved.resolved) return gap('its kind is not known');
  const usable = folders.filter(({ realPath }) => realPath !== '/');
  const home = usable.find(({ realPath }) => isWithin(resolved.path, realPath));
  if (home !== undefined) return yes(`bind mount inside the project's folder ${home.path}`);
  const seemsInside = usable.some(({ path }) => isWithin(source.path, path));
  if (seemsInside) return gap(`it leads out of the project's folder, to ${resolved.path}`);
  const why =
    usable.length > 0 ? `outside the project's folder ${usable[0]?.path}` : 'of no known project folder';
  return gap(`bind mount ${why}; ${holdfastLabels.include} chooses it`);
}

function namesOf(components: readonly Component[]): string {
  return components.map(({ name }) => name).join(', ');
}

function yes(reason: string): MountDecision {
  return { included: true, reason };
}

function no(reason: string): MountDecision {
  return { included: false, reason };
}

function gap(reason: string): MountDecision {
  return { included: false, reason, isGap: true };
}
