/** What the Docker Engine tells, in our own words: only the fields that Holdfast uses. */

export interface EngineInfo {
  /** The engine's own id: stays over restarts, differs between two engines of one machine. */
  readonly id: string;
  /** The host name of the machine as the engine sees it. */
  readonly hostName: string;
  /** Where the engine keeps its own data, volumes among it: a path on the engine's machine. */
  readonly rootDir: string;
  readonly engineVersion: string;
  readonly kernelVersion: string;
  readonly os: string;
  readonly architecture: string;
  /** 1 or 2. Pausing under load fails more often on 1. */
  readonly cgroupVersion: number;
  /** Containers go on while the engine itself restarts. */
  readonly liveRestore: boolean;
}

export type ContainerStatus =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead'
  | 'unknown';

/** By the image's or the service's health check; `none` where there is no such check. */
export type ContainerHealth = 'none' | 'starting' | 'healthy' | 'unhealthy';

export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly status: ContainerStatus;
}

export interface ContainerState {
  readonly status: ContainerStatus;
  /** True also while paused or between two tries of a restart policy. */
  readonly running: boolean;
  readonly paused: boolean;
  readonly restarting: boolean;
  /** The engine's own text, with nanoseconds: equal text means that it is still the same run of the container. */
  readonly startedAt: string;
  readonly exitCode: number;
  readonly health: ContainerHealth;
}

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure';
  /** Only for `on-failure`; 0 means without limit. */
  readonly maximumRetryCount: number;
}

export type ContainerMountType = 'volume' | 'bind' | 'tmpfs' | 'npipe' | 'other';

/** One mount of one container. `source` is a path on the engine's machine, empty for `tmpfs`. */
export interface ContainerMount {
  readonly type: ContainerMountType;
  /** The volume's name; null for all that is no volume. */
  readonly volumeName: string | null;
  readonly source: string;
  /** Path inside the container. */
  readonly destination: string;
  readonly readOnly: boolean;
}

export interface Container {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** As it was asked for: `postgres:17`. */
  readonly image: string;
  /** `sha256:…` */
  readonly imageId: string;
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: ContainerState;
  readonly restartPolicy: RestartPolicy;
  /** How long it may take to end when it is stopped (`stop_grace_period`); null where its own settings do not say. */
  readonly stopSeconds: number | null;
  readonly autoRemove: boolean;
  readonly privileged: boolean;
  readonly networkMode: string;
  /** On its networks, while it runs. */
  readonly addresses: readonly string[];
  /** Ports of the engine's machine that lead into it, while it runs. */
  readonly publishedPorts: readonly number[];
  readonly mounts: readonly ContainerMount[];
}

export interface Volume {
  readonly name: string;
  readonly driver: string;
  /** A path on the engine's machine; empty for drivers that have none. */
  readonly mountpoint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** A network, with all that is needed to make it again. */
export interface Network {
  readonly id: string;
  /** Two networks may have the same. */
  readonly name: string;
  readonly driver: string;
  /** No way out of it. */
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly enableIPv6: boolean;
  readonly ipam: AddressManagement;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** How a network gives out addresses. */
export interface AddressManagement {
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  /** Also those that the engine chose by itself; an empty text where nothing is set. */
  readonly subnets: readonly Subnet[];
}

export interface Subnet {
  readonly subnet: string;
  readonly ipRange: string;
  readonly gateway: string;
  readonly auxiliaryAddresses: Readonly<Record<string, string>>;
}

export interface Image {
  readonly id: string;
  readonly tags: readonly string[];
  /** By which a registry knows it: `postgres@sha256:…`. */
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  /** The paths that the image declares as volumes: every container of it gets one there. */
  readonly declaredVolumes: readonly string[];
  /** Names of the variables that every container of it has. */
  readonly variables: readonly string[];
}

export interface EngineEvent {
  /** `container`, `volume`, `image`, … */
  readonly type: string;
  /** `start`, `die`, `pause`, `unpause`, `destroy`, … */
  readonly action: string;
  /** The id of the object; a volume's name. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeMs: number;
}

/** One path of a container that differs from its image. */
export interface FilesystemChange {
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}
