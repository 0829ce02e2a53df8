import type { Container } from '../engine-port/engine-objects.ts';

/** What containers may mount. */
export interface MountedSources {
  readonly volumes: ReadonlySet<string>;
  /** On the engine's machine, of volumes and of binds. */
  readonly paths: readonly string[];
}

/** Whether a container mounts one of the sources, or something within it, for writing. */
export function writesTo({ mounts }: Pick<Container, 'mounts'>, { volumes, paths }: MountedSources): boolean {
  return mounts.some(
    ({ volumeName, source, readOnly }) =>
      !readOnly &&
      ((volumeName !== null && volumes.has(volumeName)) ||
        paths.some((path) => source === path || source.startsWith(`${path}/`))),
  );
}
