import type { Network, Volume } from '../engine-port/engine-objects.ts';
import type { JsonObject } from '../engine-port/json-object.ts';

/**
 * An environment with all that is needed to make it again: no Compose file, no shell variable, nothing of the engine that
 * it was read from but its images. Contents of volumes and binds are no part of it.
 *
 * It holds what the app's environment variables hold, and so the app's passwords.
 */
export interface EnvironmentModel {
  readonly version: 1;
  /** What it was read from. */
  readonly engine: { readonly version: string; readonly architecture: string; readonly os: string };
  /** The Compose project's name; null where its containers are of none. */
  readonly project: string | null;
  /** The Compose project's folder on the engine's machine. */
  readonly folder: string | null;
  /** By name. Neither containers of `docker compose run` nor any that Holdfast made for itself. */
  readonly containers: readonly ContainerModel[];
  /** By name; without those that every engine has (`bridge`, `host`, `none`). */
  readonly networks: readonly NetworkModel[];
  /** By name; with those that are of the Compose project and mounted by no container. */
  readonly volumes: readonly VolumeModel[];
  /** In what its containers were otherwise than its Compose files; null where that was not looked at. */
  readonly composeDifferences: ComposeDifferences | null;
}

/** By component: in what its containers are otherwise than the Compose files say. No values, for they may be secret. */
export type ComposeDifferences = Readonly<Record<string, readonly string[]>>;

export interface ContainerModel {
  readonly name: string;
  readonly component: string;
  readonly image: ImageModel;
  readonly isRunning: boolean;
  /**
   * The body of `POST /containers/create` but for `HostConfig` and `NetworkingConfig`, as the engine tells it, without what
   * it made up for this one container.
   */
  readonly config: JsonObject;
  /** `HostConfig` of that body. Other containers stand in it by name, never by id. */
  readonly hostConfig: JsonObject;
  /** What connecting to each network takes, by the network's name: `Aliases`, `IPAMConfig`, `Links`, `DriverOpts`. */
  readonly endpoints: Readonly<Record<string, JsonObject>>;
  /** By destination. */
  readonly volumes: readonly MountedVolume[];
}

export interface ImageModel {
  /** As it was asked for: `postgres:17`. */
  readonly reference: string;
  /** `sha256:…`, of the engine that it was read from. */
  readonly id: string;
  /** By which a registry knows it: `postgres@sha256:…`; none for an image that was built and never pushed. */
  readonly digests: readonly string[];
}

export interface MountedVolume {
  readonly name: string;
  /** Path inside the container. */
  readonly destination: string;
  readonly isAnonymous: boolean;
}

export interface NetworkModel extends Omit<Network, 'id'> {
  /** Not of this environment's Compose project: who else uses it is not known. */
  readonly isExternal: boolean;
}

export interface VolumeModel extends Omit<Volume, 'mountpoint'> {
  /** Not of this environment's Compose project: who else uses it is not known. */
  readonly isExternal: boolean;
  readonly isAnonymous: boolean;
}
