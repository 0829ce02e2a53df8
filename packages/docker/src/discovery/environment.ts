import type { ContainerHealth, ContainerStatus, RestartPolicy } from '../engine-port/engine-objects.ts';

export type EnvironmentType = 'production' | 'staging' | 'development';

/** An environment as one engine shows it. */
export interface Environment {
  readonly name: string;
  readonly type: EnvironmentType;
  /** Active while any container of it exists, running or not. */
  readonly state: 'active' | 'inactive';
  /** The value of the label `holdfast.project`. */
  readonly project: string | null;
  readonly composeProject: string | null;
  /** The Compose project's folder on the engine's machine; where several were joined, that of the first component. */
  readonly folder: string | null;
  /** All of them: one per joined Compose project. */
  readonly folders: readonly string[];
  /** Absolute paths of the Compose files. */
  readonly configFiles: readonly string[];
  /** `holdfast.hold.limit`; absent where no label says. */
  readonly holdLimitMs?: number;
  /** By name. */
  readonly components: readonly Component[];
  /** Containers of `docker compose run`: of no component's strength, but they may write to its mounts. */
  readonly oneOffs: readonly Instance[];
  readonly mounts: readonly Mount[];
  /** Labels that say something that cannot be followed. */
  readonly warnings: readonly string[];
}

export interface Component {
  readonly name: string;
  /** `holdfast.backup=false` */
  readonly isLeftOut: boolean;
  /** The mounts that `holdfast.include` and `holdfast.exclude` name. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** How it is backed up by a command, as its labels say it; absent where there are no containers to carry any. */
  readonly command?: CommandLabels;
  /** By name. */
  readonly instances: readonly Instance[];
}

/** Texts as they stand; undefined where there is no such label. */
export interface CommandLabels {
  /** `holdfast.backup.preset` */
  readonly preset: string | undefined;
  /** `holdfast.backup.command`, `.timeout` and `.cron` */
  readonly backup: {
    readonly command: string | undefined;
    readonly timeout: string | undefined;
    readonly cron: string | undefined;
  };
  /** `holdfast.restore.command` and `.timeout` */
  readonly restore: { readonly command: string | undefined; readonly timeout: string | undefined };
  /** `holdfast.retention` */
  readonly retention: string | undefined;
}

export interface Instance {
  readonly containerId: string;
  readonly name: string;
  readonly component: string;
  readonly status: ContainerStatus;
  readonly health: ContainerHealth;
  /** Changes with every start of the container. */
  readonly startedAt: string;
  readonly imageId: string;
  readonly restartPolicy: RestartPolicy;
}

/** Where one component mounts a source. */
export interface MountPoint {
  readonly component: string;
  /** Path inside the container. */
  readonly path: string;
  readonly readOnly: boolean;
}

/** Paths are of the engine's machine. */
export type MountSource =
  | VolumeSource
  | { readonly kind: 'bind'; readonly path: string }
  | { readonly kind: 'tmpfs' }
  | { readonly kind: 'other'; readonly type: string };

export interface VolumeSource {
  readonly kind: 'volume' | 'anonymous';
  readonly name: string;
  readonly driver: string;
  /** Empty for a driver that has none. */
  readonly mountpoint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** One source, once, with every place where the environment's components mount it. */
export interface Mount {
  /** Unique within the environment: `volume:NAME`, `bind:PATH`, `tmpfs:COMPONENT:PATH`, … */
  readonly id: string;
  readonly source: MountSource;
  /** By component and path. Empty for a volume of the Compose project that no container mounts now. */
  readonly points: readonly MountPoint[];
  /** Containers outside this environment that mount the same source. */
  readonly otherUsers: readonly { readonly containerId: string; readonly name: string }[];
}
