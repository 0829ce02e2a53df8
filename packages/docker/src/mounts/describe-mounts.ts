import { posix } from 'node:path';
import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { Environment, Mount } from '../discovery/environment.ts';
import { holdfastLabels } from '../discovery/labels.ts';
import { decideMount, hostPathOf, type MountDecision, type MountFacts } from './decide-mount.ts';
import { matchesSelector } from './mount-selector.ts';
import type { ProtectedPath } from './never-paths.ts';
import { isWithin } from './path-containment.ts';
import { type ResolvedPath, type ResolvePaths, resolveHere } from './resolve-path.ts';

export interface DescribeMountsOptions extends Abortable {
  /** Docker's own data (`EngineInfo.rootDir`), Holdfast's data, each vault that is a local directory. */
  readonly protectedPaths: readonly ProtectedPath[];
  /** Default: as this process sees them. */
  readonly resolvePaths?: ResolvePaths;
}

/** A mount, whether it is in, and why. */
export interface DescribedMount extends Mount, MountDecision {
  /** The bind's path with every link followed, as it was when asked; null for volumes and what has no path. */
  readonly realPath: string | null;
  /** The id of an included mount that this one lies inside: its files are captured there. */
  readonly coveredBy: string | null;
}

export interface DescribedMounts {
  readonly mounts: readonly DescribedMount[];
  /** Selectors that name no mount. */
  readonly warnings: readonly string[];
}

interface Judged extends Mount, MountDecision {
  readonly realPath: string | null;
}

/** Decides on every mount of an environment: looks at paths of the engine's machine, touches nothing. */
export async function describeMounts(
  environment: Environment,
  { protectedPaths, resolvePaths = resolveHere, signal }: DescribeMountsOptions,
): Promise<DescribedMounts> {
  const paths = [...new Set(pathsOf(environment, protectedPaths))];
  const answers = await resolvePaths(paths, { signal });
  const resolved = new Map(paths.map((path, index) => [path, answers[index]]));
  const resolvedOf = (path: string): ResolvedPath =>
    resolved.get(path) ?? { resolved: false, reason: 'nobody looked' };
  const facts = {
    components: environment.components,
    folders: resolveFolders(environment.folders, resolvedOf),
    protectedPaths: withRealPaths(protectedPaths, resolvedOf),
  };
  const judged: Judged[] = [];
  for (const mount of environment.mounts) {
    throwIfAborted(signal);
    const path = hostPathOf(mount);
    const found = path === null ? null : resolvedOf(path);
    judged.push({
      ...mount,
      ...decideMount(mount, { ...facts, resolved: found }),
      realPath: realPathOf(mount, found),
    });
  }
  return { mounts: coverNested(judged), warnings: unmatchedSelectors(environment, facts) };
}

/** Every path that deciding on an environment's mounts looks at: for who resolves those of several at once. */
export function pathsOf(environment: Environment, protectedPaths: readonly ProtectedPath[]): string[] {
  return [
    ...environment.folders.map((folder) => posix.normalize(folder)),
    ...protectedPaths.map(({ path }) => path),
    ...environment.mounts.flatMap((mount) => hostPathOf(mount) ?? []),
  ];
}

/**
 * Bind mounts overlap where one's source lies inside another's. The files of the inner are in the outer's part: the
 * inner is no part of its own, so that no file is kept, or written back, twice.
 */
export function coverNested(mounts: readonly Judged[]): DescribedMount[] {
  const outers = mounts.filter(({ included }) => included).sort(outermostFirst);
  return mounts.map((mount) => {
    const outer = outers.find((candidate) => covers(candidate, mount));
    if (outer === undefined) return { ...mount, coveredBy: null };
    const inside = `it lies inside ${outer.realPath}, which is backed up whole`;
    const reason = mount.included ? inside : `${mount.reason}; but ${inside}`;
    return { ...mount, included: false, isGap: false, reason, coveredBy: outer.id };
  });
}

function outermostFirst(a: Judged, b: Judged): number {
  const difference = (a.realPath?.length ?? 0) - (b.realPath?.length ?? 0);
  if (difference !== 0) return difference;
  return a.id < b.id ? -1 : 1;
}

/** Of two that lead to the same place the first by id covers the second. */
function covers(outer: Judged, inner: Judged): boolean {
  if (outer.id === inner.id || outer.realPath === null || inner.realPath === null) return false;
  if (outer.realPath === inner.realPath) return !inner.included || outer.id < inner.id;
  return isWithin(inner.realPath, outer.realPath);
}

function realPathOf({ source }: Mount, resolved: ResolvedPath | null): string | null {
  return source.kind === 'bind' && resolved?.resolved === true ? resolved.path : null;
}

type ResolvedOf = (path: string) => ResolvedPath;

function resolveFolders(folders: readonly string[], resolvedOf: ResolvedOf): MountFacts['folders'] {
  return folders.map((folder) => {
    const path = posix.normalize(folder);
    const resolved = resolvedOf(path);
    return { path, realPath: resolved.resolved ? resolved.path : path };
  });
}

/** Each as it stands and, where that differs, with every link followed. */
export function withRealPaths(
  protectedPaths: readonly ProtectedPath[],
  resolvedOf: ResolvedOf,
): ProtectedPath[] {
  return protectedPaths.flatMap(({ path, what }) => {
    const resolved = resolvedOf(path);
    return resolved.resolved && resolved.path !== path
      ? [
          { path, what },
          { path: resolved.path, what },
        ]
      : [{ path, what }];
  });
}

function unmatchedSelectors(environment: Environment, facts: Pick<MountFacts, 'folders'>): string[] {
  const folders = facts.folders.map(({ path }) => path);
  return environment.components.flatMap((component) => {
    const labels = [
      { label: holdfastLabels.include, selectors: component.include },
      { label: holdfastLabels.exclude, selectors: component.exclude },
    ];
    return labels.flatMap(({ label, selectors }) =>
      selectors
        .filter(
          (selector) =>
            !environment.mounts.some((mount) =>
              matchesSelector({ selector, mount, component: component.name, folders }),
            ),
        )
        .map(
          (selector) => `${label} on component ${component.name} names ${selector}, which is no mount of it.`,
        ),
    );
  });
}
