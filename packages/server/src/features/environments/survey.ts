import type { Abortable } from '@holdfast/base';
import {
  type ChangeFolders,
  type Container,
  changeFoldersHere,
  changeFoldersInContainer,
  type DescribedMount,
  type DockerEngine,
  type Environment as DockerEnvironment,
  describeMounts,
  discoverEnvironments,
  type HostView,
  hostPathOf,
  type ProtectedPath,
  pathOnMachine,
  pathsOf,
  type ResolvePaths,
  readInventory,
  resolveHere,
  resolveInContainer,
  viewHost,
} from '@holdfast/docker';
import type { Mount } from '@holdfast/protocol';
import type { ServerPlace } from '../../runner/server-place.ts';
import type { BackupSettings } from './commands/component-settings.ts';
import { withoutCovered } from './commands/covered-mounts.ts';
import { type ComponentCommands, resolveCommands } from './commands/resolve-commands.ts';
import { describeMount } from './describe-mount.ts';
import type { DiscoveredEnvironment, EnvironmentRecord } from './environment-record.ts';

/** A mount as the engine has it, beside the form that the catalog and the API know. */
export interface SurveyedMount {
  readonly mount: Mount;
  readonly described: DescribedMount;
  /** It is left out only because commands cover it: a backup that has it can still be restored. */
  readonly isByCommand?: boolean;
}

/** All that one engine shows, at about one moment. */
export interface NodeSurvey {
  readonly docker: DockerEngine;
  readonly host: HostView;
  readonly resolvePaths: ResolvePaths;
  readonly changeFolders: ChangeFolders;
  /** What no mount may touch: Docker's own data, Holdfast's own data and vaults. */
  readonly protectedPaths: readonly ProtectedPath[];
  /** By name. Of an inactive one only volumes are left. */
  readonly environments: ReadonlyMap<string, SurveyedEnvironment>;
}

export interface SurveyedEnvironment {
  readonly environment: DockerEnvironment;
  /** Every mount, included or not. */
  readonly mounts: readonly SurveyedMount[];
  /** By component: how it is backed up and restored by commands, if it is. */
  readonly commands: ReadonlyMap<string, ComponentCommands>;
  /** Labels that cannot be followed. */
  readonly warnings: readonly string[];
}

/** One environment: what the catalog knows of it, and what its node shows now. */
export interface EnvironmentSurvey {
  /** In step with what the node shows; of an inactive environment, as it was last seen. */
  readonly record: EnvironmentRecord;
  readonly docker: DockerEngine;
  readonly host: HostView;
  /** Follows paths of the engine's machine. */
  readonly resolvePaths: ResolvePaths;
  /** Makes folders on the engine's machine. */
  readonly changeFolders: ChangeFolders;
  readonly protectedPaths: readonly ProtectedPath[];
  /** Undefined when nothing of it is there, not even a volume. */
  readonly environment: DockerEnvironment | undefined;
  /** As they are now; none when `environment` is undefined. */
  readonly mounts: readonly SurveyedMount[];
  readonly commands: ReadonlyMap<string, ComponentCommands>;
  readonly warnings: readonly string[];
}

/** Images that the environment's containers are of, each once. */
export function imagesOf({ environment }: Pick<EnvironmentSurvey, 'environment'>): readonly string[] {
  const instances = environment?.components.flatMap((component) => component.instances) ?? [];
  return [...new Set(instances.map(({ imageId }) => imageId))];
}

export interface SurveyNodeOptions extends Abortable {
  readonly docker: DockerEngine;
  readonly serverPlace: ServerPlace;
  /** Holdfast's own data and vaults, as this process sees them. */
  readonly ownPaths: readonly ProtectedPath[];
  /** What was set by the API for an environment's components. */
  readonly settingsOf: (environmentName: string) => ReadonlyMap<string, BackupSettings> | undefined;
}

/** Reads everything that the engine has. Touches nothing. @throws HoldfastError `docker-unreachable` */
export async function surveyNode(options: SurveyNodeOptions): Promise<NodeSurvey> {
  const { docker, serverPlace, settingsOf, signal } = options;
  const [info, inventory, host] = await Promise.all([
    docker.info({ signal }),
    readInventory(docker, { signal }),
    viewHost(docker, { signal }),
  ]);
  const protectedPaths = [
    ...ownPathsOnMachine(options.ownPaths, await serverPlace.own()),
    { path: info.rootDir, what: "Docker's own data" },
  ];
  const discovered = discoverEnvironments(inventory);
  const resolvePaths = serverPlace.isInContainer
    ? resolveInContainer({ docker, image: await serverPlace.requireImage(docker) })
    : resolveHere;
  const changeFolders = host.isShared
    ? changeFoldersHere
    : changeFoldersInContainer({
        docker,
        image: async () => await serverPlace.requireImage(docker),
        resolvePaths,
      });
  // Where no mount gives access to a path, none has to be followed: a look from a container takes a second.
  const needsLook = ({ mounts }: DockerEnvironment): boolean =>
    !serverPlace.isInContainer || mounts.some((mount) => hostPathOf(mount) !== null);
  const paths = discovered.filter(needsLook).flatMap((environment) => pathsOf(environment, protectedPaths));
  const resolveKnown = await resolveAtOnce(resolvePaths, paths, { signal });
  const environments = new Map<string, SurveyedEnvironment>();
  for (const environment of discovered) {
    const { mounts, warnings } = await describeMounts(environment, {
      protectedPaths,
      resolvePaths: resolveKnown,
      signal,
    });
    const surveyed = mounts.map((described) => ({
      mount: describeMount(described, environment.folder),
      described,
    }));
    const resolved = commandsOf(environment, settingsOf(environment.name));
    environments.set(environment.name, {
      environment,
      mounts: withoutCovered(surveyed, resolved.commands),
      commands: resolved.commands,
      warnings: [...environment.warnings, ...warnings, ...resolved.warnings],
    });
  }
  return { docker, host, resolvePaths, changeFolders, protectedPaths, environments };
}

/** One look at all paths: it may take a container. */
async function resolveAtOnce(
  resolvePaths: ResolvePaths,
  paths: readonly string[],
  options: Abortable,
): Promise<ResolvePaths> {
  const all = [...new Set(paths)];
  const answers = await resolvePaths(all, options);
  const known = new Map(all.map((path, index) => [path, answers[index]]));
  return async (wanted) =>
    wanted.map((path) => known.get(path) ?? { resolved: false, reason: 'nobody looked' });
}

/** Where a server in a container has its own files on the engine's machine. */
function ownPathsOnMachine(
  ownPaths: readonly ProtectedPath[],
  own: Container | undefined,
): readonly ProtectedPath[] {
  if (own === undefined) return ownPaths;
  return ownPaths.flatMap(({ path, what }) => {
    const onMachine = pathOnMachine(own, path);
    return onMachine === undefined ? [] : [{ path: onMachine, what }];
  });
}

function commandsOf(
  { components }: DockerEnvironment,
  settings: ReadonlyMap<string, BackupSettings> | undefined,
): { readonly commands: Map<string, ComponentCommands>; readonly warnings: readonly string[] } {
  const resolved = components.map(({ name, command }) => ({
    name,
    ...resolveCommands(name, command, settings?.get(name)),
  }));
  return {
    commands: new Map(resolved.map(({ name, commands }) => [name, commands])),
    warnings: resolved.flatMap(({ warnings }) => warnings),
  };
}

/** What the catalog keeps of an environment. */
export function toDiscovered({ environment, mounts, commands }: SurveyedEnvironment): DiscoveredEnvironment {
  return {
    name: environment.name,
    project: environment.composeProject ?? environment.name,
    type: environment.type,
    folder: environment.folder,
    seen: {
      components: environment.components.map((component) => ({
        name: component.name,
        instances: component.instances.map(({ containerId, name, status }) => ({
          containerId,
          name,
          state: status,
        })),
      })),
      mounts: mounts.map(({ mount }) => mount),
      crons: [...commands].flatMap(([component, { cron, integration }]) =>
        cron === null ? [] : [{ component, cron, retention: integration.retention }],
      ),
    },
  };
}
