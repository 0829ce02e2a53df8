import type { Abortable } from '@holdfast/base';
import {
  type DescribedMount,
  type DockerEngine,
  type Environment as DockerEnvironment,
  describeMounts,
  discoverEnvironments,
  type HostView,
  type ProtectedPath,
  readInventory,
  viewHost,
} from '@holdfast/docker';
import type { Mount } from '@holdfast/protocol';
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
  readonly protectedPaths: readonly ProtectedPath[];
  /** Undefined when nothing of it is there, not even a volume. */
  readonly environment: DockerEnvironment | undefined;
  /** As they are now; none when `environment` is undefined. */
  readonly mounts: readonly SurveyedMount[];
  readonly commands: ReadonlyMap<string, ComponentCommands>;
  readonly warnings: readonly string[];
}

export interface SurveyNodeOptions extends Abortable {
  readonly docker: DockerEngine;
  /** Holdfast's own data and vaults. */
  readonly ownPaths: readonly ProtectedPath[];
  /** What was set by the API for an environment's components. */
  readonly settingsOf: (environmentName: string) => ReadonlyMap<string, BackupSettings> | undefined;
}

/** Reads everything that the engine has. Touches nothing. @throws HoldfastError `docker-unreachable` */
export async function surveyNode({
  docker,
  ownPaths,
  settingsOf,
  signal,
}: SurveyNodeOptions): Promise<NodeSurvey> {
  const [info, inventory, host] = await Promise.all([
    docker.info({ signal }),
    readInventory(docker, { signal }),
    viewHost(docker, { signal }),
  ]);
  const protectedPaths = [...ownPaths, { path: info.rootDir, what: "Docker's own data" }];
  const environments = new Map<string, SurveyedEnvironment>();
  for (const environment of discoverEnvironments(inventory)) {
    const { mounts, warnings } = await describeMounts(environment, { protectedPaths, signal });
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
  return { docker, host, protectedPaths, environments };
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
export function toDiscovered({ environment, mounts }: SurveyedEnvironment): DiscoveredEnvironment {
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
    },
  };
}
