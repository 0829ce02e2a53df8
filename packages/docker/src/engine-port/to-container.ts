import type {
  Container,
  ContainerHealth,
  ContainerMount,
  ContainerMountType,
  ContainerStatus,
  RestartPolicy,
} from './engine-objects.ts';

/** The fields of `GET /containers/{id}/json` that are used. Go writes an empty map or list as null. */
export interface ContainerAnswer {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
  readonly Image: string;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Paused: boolean;
    readonly Restarting: boolean;
    readonly StartedAt: string;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string } | null | undefined;
  };
  readonly Config: {
    readonly Image: string;
    readonly Labels?: Record<string, string> | null;
    readonly StopTimeout?: number | null | undefined;
  };
  readonly HostConfig: {
    readonly RestartPolicy?:
      | { readonly Name: string; readonly MaximumRetryCount?: number | undefined }
      | undefined;
    readonly AutoRemove?: boolean | undefined;
    readonly Privileged?: boolean | undefined;
    readonly NetworkMode?: string | undefined;
    readonly Tmpfs?: Record<string, string> | null | undefined;
  };
  readonly NetworkSettings?:
    | {
        readonly Networks?: Record<
          string,
          { readonly IPAddress?: string | undefined; readonly GlobalIPv6Address?: string | undefined }
        > | null;
        readonly Ports?: Record<string, readonly { readonly HostPort: string }[] | null> | null;
      }
    | undefined;
  readonly Mounts?: readonly MountAnswer[] | null;
}

export interface MountAnswer {
  readonly Type: string;
  readonly Name?: string | undefined;
  readonly Source?: string | undefined;
  readonly Destination: string;
  readonly RW: boolean;
}

const longestStopSeconds = 3600;

export function toContainer(answer: ContainerAnswer): Container {
  const { State: state, HostConfig: hostConfig } = answer;
  return {
    id: answer.Id,
    name: withoutSlash(answer.Name),
    image: answer.Config.Image,
    imageId: answer.Image,
    createdAt: answer.Created,
    labels: answer.Config.Labels ?? {},
    state: {
      status: toStatus(state.Status),
      running: state.Running,
      paused: state.Paused,
      restarting: state.Restarting,
      startedAt: state.StartedAt,
      exitCode: state.ExitCode,
      health: toHealth(state.Health?.Status),
    },
    restartPolicy: toRestartPolicy(hostConfig.RestartPolicy),
    stopSeconds: toStopSeconds(answer.Config.StopTimeout),
    autoRemove: hostConfig.AutoRemove ?? false,
    privileged: hostConfig.Privileged ?? false,
    networkMode: hostConfig.NetworkMode ?? '',
    addresses: toAddresses(answer),
    publishedPorts: toPublishedPorts(answer),
    mounts: toMounts(answer),
  };
}

function toAddresses({ NetworkSettings: settings }: ContainerAnswer): string[] {
  return Object.values(settings?.Networks ?? {})
    .flatMap(({ IPAddress, GlobalIPv6Address }) => [IPAddress ?? '', GlobalIPv6Address ?? ''])
    .filter((address) => address !== '');
}

function toPublishedPorts({ NetworkSettings: settings }: ContainerAnswer): number[] {
  const bindings = Object.values(settings?.Ports ?? {}).flatMap((each) => each ?? []);
  return [...new Set(bindings.map(({ HostPort }) => Number(HostPort)))];
}

export function withoutSlash(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name;
}

export function toStatus(status: string): ContainerStatus {
  switch (status) {
    case 'created':
    case 'running':
    case 'paused':
    case 'restarting':
    case 'removing':
    case 'exited':
    case 'dead':
      return status;
    default:
      return 'unknown';
  }
}

function toHealth(status: string | undefined): ContainerHealth {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none';
}

/** One that would be waited for without end gets an hour. */
function toStopSeconds(timeout: number | null | undefined): number | null {
  if (timeout == null) return null;
  return timeout < 0 ? longestStopSeconds : Math.min(timeout, longestStopSeconds);
}

function toRestartPolicy(policy: ContainerAnswer['HostConfig']['RestartPolicy']): RestartPolicy {
  const maximumRetryCount = policy?.MaximumRetryCount ?? 0;
  switch (policy?.Name) {
    case 'always':
    case 'unless-stopped':
      return { name: policy.Name, maximumRetryCount: 0 };
    case 'on-failure':
      return { name: 'on-failure', maximumRetryCount };
    default:
      return { name: 'no', maximumRetryCount: 0 };
  }
}

/** `--tmpfs` stands in the host configuration alone, not in the engine's list of mounts. */
function toMounts(answer: ContainerAnswer): ContainerMount[] {
  const mounts = (answer.Mounts ?? []).map(toMount);
  for (const destination of Object.keys(answer.HostConfig.Tmpfs ?? {})) {
    mounts.push({ type: 'tmpfs', volumeName: null, source: '', destination, readOnly: false });
  }
  return mounts;
}

function toMount(mount: MountAnswer): ContainerMount {
  const type = toMountType(mount.Type);
  return {
    type,
    volumeName: type === 'volume' ? (mount.Name ?? null) : null,
    source: mount.Source ?? '',
    destination: mount.Destination,
    readOnly: !mount.RW,
  };
}

function toMountType(type: string): ContainerMountType {
  switch (type) {
    case 'volume':
    case 'bind':
    case 'tmpfs':
    case 'npipe':
      return type;
    default:
      return 'other';
  }
}
