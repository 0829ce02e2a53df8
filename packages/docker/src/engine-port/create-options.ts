import type Dockerode from 'dockerode';
import type { NewContainer, NewMount } from './docker-engine.ts';

type MountSettings = NonNullable<Dockerode.HostConfig['Mounts']>[number];

export function toCreateOptions(spec: NewContainer): Dockerode.ContainerCreateOptions {
  return {
    ...(spec.name === undefined ? {} : { name: spec.name }),
    Image: spec.image,
    Entrypoint: [],
    Cmd: [...spec.command],
    Labels: { ...spec.labels },
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: 'none',
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
