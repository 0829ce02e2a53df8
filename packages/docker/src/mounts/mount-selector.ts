import { posix } from 'node:path';
import type { Mount } from '../discovery/environment.ts';
import { composeLabels } from '../discovery/labels.ts';

export interface SelectorMatch {
  readonly selector: string;
  readonly mount: Mount;
  /** Whose label the selector stands in: paths inside a container are those of this component. */
  readonly component: string;
  /** What a relative path starts from. */
  readonly folders: readonly string[];
}

/**
 * Whether an item of `holdfast.include` or `holdfast.exclude` names a mount: a volume by its name in Docker or in the
 * Compose file, a mount by its path inside the container, a bind by its path on the host (`./data` in the project's
 * folder).
 */
export function matchesSelector({ selector, mount, component, folders }: SelectorMatch): boolean {
  const { source, points } = mount;
  if (selector.startsWith('.')) {
    return (
      source.kind === 'bind' && folders.some((folder) => posix.resolve(folder, selector) === source.path)
    );
  }
  if (selector.startsWith('/')) {
    const path = posix.resolve(selector);
    if (source.kind === 'bind' && source.path === path) return true;
    return points.some((point) => point.component === component && posix.resolve(point.path) === path);
  }
  if (source.kind !== 'volume' && source.kind !== 'anonymous') return false;
  return source.name === selector || source.labels[composeLabels.volume] === selector;
}
