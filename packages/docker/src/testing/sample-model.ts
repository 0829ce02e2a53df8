import type { ContainerModel, EnvironmentModel } from '../model/environment-model.ts';

/** A container of the project `shop`, as the engine would tell it, with some of it told otherwise. */
export function sampleContainer(change: Partial<ContainerModel> = {}): ContainerModel {
  return {
    name: 'shop-web-1',
    component: 'web',
    image: { reference: 'shop/web', id: `sha256:${'a'.repeat(64)}`, digests: [] },
    isRunning: true,
    config: { Labels: {} },
    hostConfig: { NetworkMode: 'shop_default' },
    endpoints: { shop_default: { Aliases: ['web'] } },
    volumes: [],
    ...change,
  };
}

/** The project `shop` in `/srv/shop`, with some of it told otherwise. */
export function sampleModel(change: Partial<EnvironmentModel> = {}): EnvironmentModel {
  return {
    version: 1,
    composeDifferences: null,
    engine: { version: '28.0.0', architecture: 'x86_64', os: 'linux' },
    project: 'shop',
    folder: '/srv/shop',
    containers: [sampleContainer()],
    networks: [
      {
        name: 'shop_default',
        isExternal: false,
        driver: 'bridge',
        internal: false,
        attachable: false,
        enableIPv6: false,
        ipam: {
          driver: 'default',
          options: {},
          subnets: [{ subnet: '10.0.0.0/24', ipRange: '', gateway: '10.0.0.1', auxiliaryAddresses: {} }],
        },
        options: {},
        labels: { 'com.docker.compose.project': 'shop', 'com.docker.compose.network': 'default' },
      },
    ],
    volumes: [],
    ...change,
  };
}

/** A volume of the project's own. */
export function sampleVolume(
  change: Partial<EnvironmentModel['volumes'][number]> = {},
): EnvironmentModel['volumes'][number] {
  return {
    name: 'shop_data',
    isExternal: false,
    isAnonymous: false,
    driver: 'local',
    options: {},
    labels: { 'com.docker.compose.project': 'shop', 'com.docker.compose.volume': 'data' },
    ...change,
  };
}
