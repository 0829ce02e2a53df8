import type { DescribedMount } from '@holdfast/docker';
import type { Mount } from '@holdfast/protocol';
import type { ComponentCommands } from './resolve-commands.ts';

interface LookedAt {
  readonly mount: Mount;
  readonly described: DescribedMount;
}

/**
 * Leaves out the mounts that only components with a backup command use: what those print is their backup. What a label
 * chooses stays in.
 */
export function withoutCovered(
  mounts: readonly LookedAt[],
  commands: ReadonlyMap<string, ComponentCommands>,
): readonly (LookedAt & { readonly isByCommand?: boolean })[] {
  return mounts.map((surveyed) => {
    const { mount, described } = surveyed;
    const users = [...new Set(mount.mountPoints.map(({ component }) => component))];
    const isByCommand =
      mount.included &&
      !described.isChosen &&
      users.length > 0 &&
      users.every((user) => commands.get(user)?.backup !== undefined);
    if (!isByCommand) return surveyed;
    const reason = `the backup command of ${users.join(', ')} covers it`;
    return { ...surveyed, mount: { ...mount, included: false, reason }, isByCommand };
  });
}
