import type Dockerode from 'dockerode';
import type { NewContainer, NewMount, NewSandbox } from './docker-engine.ts';

type MountSettings = NonNullable<Dockerode.HostConfig['Mounts']>[number];

export function toCreateOptions(spec: NewContainer): Dockerode.ContainerCreateOptions {
  return {
    ...(spec.name === undefined ? {} : { name: spec.name }),
    Image: spec.image,
    Entrypoint: [],
    Cmd: [...spec.command],
    Labels: { ...spec.labels },
    ...(spec.environment === undefined ? {} : { Env: [...spec.environment] }),
    ...(spec.sandbox?.hostName === undefined ? {} : { Hostname: spec.sandbox.hostName }),
    ...(spec.takesInput === true ? attachable : {}),
    NetworkDisabled: spec.networkMode === undefined,
    HostConfig: {
      NetworkMode: spec.networkMode ?? 'none',
      AutoRemove: spec.removesItself === true,
      ...(spec.sandbox === undefined ? {} : toSandboxSettings(spec.sandbox)),
      Mounts: spec.mounts.map(toMountSettings),
      ...(spec.restartPolicy === undefined
        ? {}
        : {
            RestartPolicy: {
              Name: spec.restartPolicy.name,
              MaximumRetryCount: spec.restartPolicy.maximumRetryCount,
            },
          }),
    },
  };
}

const attachable = {
  OpenStdin: true,
  StdinOnce: true,
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
} as const;

/**
 * Profiles of AppArmor and SELinux are lifted, as they keep a container from files and processes that are not labelled
 * as its own, whatever its capabilities; seccomp's stays.
 */
function toSandboxSettings(sandbox: NewSandbox): Dockerode.HostConfig {
  return {
    CapDrop: ['ALL'],
    CapAdd: [...sandbox.capabilities],
    SecurityOpt: ['apparmor=unconfined', 'label=disable', 'no-new-privileges'],
    UsernsMode: 'host',
    ...(sandbox.keepsFiles === true ? {} : { ReadonlyRootfs: true, Tmpfs: { '/tmp': '' } }),
    ...(sandbox.sharesPids ? { PidMode: 'host' } : {}),
  };
}

function toMountSettings(mount: NewMount): MountSettings {
  const target = { Target: mount.destination, Type: mount.type };
  switch (mount.type) {
    case 'volume':
      return {
        ...target,
        Source: mount.volumeName,
        ReadOnly: mount.readOnly,
        VolumeOptions: {
          NoCopy: !mount.copyImageContent,
          Labels: {},
          DriverConfig: { Name: '', Options: {} },
        },
      };
    case 'bind':
      return { ...target, Source: mount.source, ReadOnly: mount.readOnly };
    case 'tmpfs':
      return { ...target, Source: '' };
  }
}
