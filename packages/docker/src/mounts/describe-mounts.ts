import { posix } from 'node:path';
import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { Environment, Mount } from '../discovery/environment.ts';
import { holdfastLabels } from '../discovery/labels.ts';
import { decideMount, hostPathOf, type MountDecision, type MountFacts } from './decide-mount.ts';
import { matchesSelector } from './mount-selector.ts';
import type { ProtectedPath } from './never-paths.ts';
import { isWithin } from './path-containment.ts';
import { type ResolvedPath, resolvePath } from './resolve-path.ts';

export interface DescribeMountsOptions extends Abortable {
  /** Docker's own data (`EngineInfo.rootDir`), Holdfast's data, each vault that is a local directory. */
  readonly protectedPaths: readonly ProtectedPath[];
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

/** Decides on every mount of an environment whose engine runs on this machine: looks at paths, touches nothing. */
export async function describeMounts(
  environment: Environment,
  { protectedPaths, signal }: DescribeMountsOptions,
): Promise<DescribedMounts> {
  const facts = {
    components: environment.components,
    folders: await resolveFolders(environment.folders),
    protectedPaths: await withRealPaths(protectedPaths),
  };
  const judged: Judged[] = [];
  for (const mount of environment.mounts) {
    throwIfAborted(signal);
    const path = hostPathOf(mount);
    const resolved = path === null ? null : await resolvePath(path);
    judged.push({
      ...mount,
      ...decideMount(mount, { ...facts, resolved }),
      realPath: realPathOf(mount, resolved),
    });
  }
  return { mounts: coverNested(judged), warnings: unmatchedSelectors(environment, facts) };
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
    return { ...mount, included: false, reason, coveredBy: outer.id };
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

async function resolveFolders(folders: readonly string[]): Promise<MountFacts['folders']> {
  return Promise.all(
    folders.map(async (folder) => {
      const path = posix.normalize(folder);
      const resolved = await resolvePath(path);
      return { path, realPath: resolved.resolved ? resolved.path : path };
    }),
  );
}

async function withRealPaths(protectedPaths: readonly ProtectedPath[]): Promise<ProtectedPath[]> {
  const both = await Promise.all(
    protectedPaths.map(async ({ path, what }) => {
      const resolved = await resolvePath(path);
      return resolved.resolved && resolved.path !== path
        ? [
            { path, what },
            { path: resolved.path, what },
          ]
        : [{ path, what }];
    }),
  );
  return both.flat();
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
