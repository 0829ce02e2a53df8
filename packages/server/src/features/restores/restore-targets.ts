import type { Abortable } from '@holdfast/base';
import { type Environment as DockerEnvironment, describeMounts, type MountSource } from '@holdfast/docker';
import type { Mount } from '@holdfast/protocol';
import type { EnvironmentRecord } from '../environments/environment-record.ts';
import type { EnvironmentSurvey, SurveyedMount } from '../environments/survey.ts';

/**
 * The mounts that a restore may write to: the environment's own as they are now or, where it has no containers, as they
 * were last seen. What was included then is judged anew, as its paths may lead somewhere else by now.
 */
export async function restoreTargets(
  { record, mounts, protectedPaths, resolvePaths }: EnvironmentSurvey,
  { signal }: Abortable,
): Promise<readonly SurveyedMount[]> {
  if (record.state === 'active') return mounts;
  const lastSeen = asLastSeen(record);
  const { mounts: described } = await describeMounts(lastSeen, { protectedPaths, resolvePaths, signal });
  return described.flatMap((each) => {
    const mount = record.seen.mounts.find(({ name }) => name === each.id);
    // An anonymous volume went with its container: the next container gets another.
    if (mount === undefined || mount.source?.kind === 'anonymous') return [];
    return [{ mount: { ...mount, included: each.included, reason: each.reason }, described: each }];
  });
}

/** An environment of which only the catalog knows, in the words of the engine. */
function asLastSeen({ name, project, type, folder, seen }: EnvironmentRecord): DockerEnvironment {
  const included = seen.mounts.filter((mount) => mount.included);
  return {
    name,
    type,
    state: 'inactive',
    project: null,
    composeProject: project,
    folder,
    folders: folder === null ? [] : [folder],
    configFiles: [],
    // What a label had chosen stays chosen; what must never be touched stays out all the same.
    components: seen.components.map((component) => ({
      name: component.name,
      isLeftOut: false,
      include: included.filter((mount) => isOf(mount, component.name)).flatMap(selectorOf),
      exclude: [],
      instances: [],
    })),
    oneOffs: [],
    mounts: included.flatMap((mount) => {
      const source = toSource(mount);
      if (source === undefined) return [];
      return [{ id: mount.name, source, points: mount.mountPoints, otherUsers: [] }];
    }),
    warnings: [],
  };
}

function isOf({ mountPoints }: Mount, component: string): boolean {
  return mountPoints.some((point) => point.component === component);
}

function selectorOf({ source }: Mount): string[] {
  if (source === null) return [];
  return [source.kind === 'bind' ? source.path : source.name];
}

function toSource({ source }: Mount): MountSource | undefined {
  switch (source?.kind) {
    case 'volume':
      return { ...source, mountpoint: '' };
    case 'anonymous':
      return { ...source, driver: '', mountpoint: '', labels: {}, options: {} };
    case 'bind':
      return source;
    case undefined:
      return undefined;
  }
}
