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
import { describeMount } from './describe-mount.ts';
import type { DiscoveredEnvironment, EnvironmentRecord } from './environment-record.ts';

/** A mount as the engine has it, beside the form that the catalog and the API know. */
export interface SurveyedMount {
  readonly mount: Mount;
  readonly described: DescribedMount;
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
  readonly warnings: readonly string[];
}

export interface SurveyNodeOptions extends Abortable {
  readonly docker: DockerEngine;
  /** Holdfast's own data and vaults. */
  readonly ownPaths: readonly ProtectedPath[];
}

/** Reads everything that the engine has. Touches nothing. @throws HoldfastError `docker-unreachable` */
export async function surveyNode({ docker, ownPaths, signal }: SurveyNodeOptions): Promise<NodeSurvey> {
  const [info, inventory, host] = await Promise.all([
    docker.info({ signal }),
    readInventory(docker, { signal }),
    viewHost(docker, { signal }),
  ]);
  const protectedPaths = [...ownPaths, { path: info.rootDir, what: "Docker's own data" }];
  const environments = new Map<string, SurveyedEnvironment>();
  for (const environment of discoverEnvironments(inventory)) {
    const { mounts, warnings } = await describeMounts(environment, { protectedPaths, signal });
    environments.set(environment.name, {
      environment,
      mounts: mounts.map((described) => ({ mount: describeMount(described, environment.folder), described })),
      warnings: [...environment.warnings, ...warnings],
    });
  }
  return { docker, host, protectedPaths, environments };
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
