import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../engine-port/json-object.ts';
import type { ContainerModel } from '../model/environment-model.ts';
import { sampleContainer } from '../testing/sample-model.ts';
import { compareComposeFiles } from './compare-compose-files.ts';

const imageId = `sha256:${'a'.repeat(64)}`;
const labels = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web', tier: 'front' };

/** A service as `docker compose config --format json` prints it, and the container that Compose makes of it. */
const service: JsonObject = {
  image: 'shop/web:1',
  command: ['serve', '$$HOME'],
  entrypoint: null,
  environment: { TOKEN: 'a=$$b', EMPTY: '', FROM_SHELL: null },
  labels: { tier: 'front' },
  restart: 'on-failure:3',
  cap_add: ['NET_ADMIN'],
  deploy: { replicas: 1, resources: { limits: { cpus: 0.5, memory: '104857600' } }, placement: {} },
  networks: { back: null, default: null },
  ports: [
    { mode: 'ingress', target: 80, published: '8080', protocol: 'tcp' },
    { mode: 'ingress', host_ip: '127.0.0.1', target: 53, protocol: 'udp' },
  ],
  secrets: [{ source: 'key', target: '/run/secrets/key' }],
  volumes: [
    { type: 'volume', source: 'data', target: '/data', volume: {} },
    { type: 'bind', source: '/srv/shop/site', target: '/site', read_only: true },
    { type: 'volume', target: '/cache', volume: {} },
    { type: 'tmpfs', target: '/scratch' },
  ],
};
const web: ContainerModel = sampleContainer({
  image: { reference: 'shop/web:1', id: imageId, digests: [] },
  config: {
    Cmd: ['serve', '$HOME'],
    Entrypoint: ['/start'],
    Env: ['TOKEN=a=$b', 'EMPTY=', 'FROM_SHELL=x', 'PATH=/bin', 'HTTP_PROXY=http://proxy'],
    Labels: labels,
  },
  hostConfig: {
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
    CapAdd: ['CAP_NET_ADMIN'],
    NanoCpus: 500_000_000,
    Memory: 104_857_600,
    Init: null,
    PortBindings: {
      '80/tcp': [{ HostIp: '', HostPort: '8080' }],
      '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }],
    },
    Binds: ['shop_data:/data:rw', '/srv/shop/site:/site:ro', '/srv/shop/key:/run/secrets/key:ro'],
  },
  endpoints: { shop_back: {}, shop_default: {} },
  volumes: [
    { name: 'b'.repeat(64), destination: '/cache', isAnonymous: true },
    { name: 'shop_data', destination: '/data', isAnonymous: false },
  ],
});

const files = (services: JsonObject): JsonObject => ({
  name: 'shop',
  services,
  networks: { back: { name: 'shop_back' }, default: { name: 'shop_default' } },
  volumes: { data: { name: 'shop_data' } },
});

function differences(services: JsonObject, containers: readonly ContainerModel[] = [web]) {
  const imageVariables = new Map([[imageId, ['PATH']]]);
  return compareComposeFiles(files(services), { project: 'shop', containers }, { imageVariables });
}

test('a container that Compose just made is as its files say', () => {
  expect(differences({ web: service })).toEqual({});
});

describe('is told', () => {
  test.each<[string, JsonObject]>([
    ['image', { image: 'shop/web:2' }],
    ['command', { command: ['serve'] }],
    ['entrypoint', { entrypoint: ['/other'] }],
    ['environment.TOKEN', { environment: { ...(service.environment as JsonObject), TOKEN: '' } }],
    ['environment.NEW', { environment: { ...(service.environment as JsonObject), NEW: 'x' } }],
    ['environment.EMPTY', { environment: { TOKEN: 'a=$$b', FROM_SHELL: null } }],
    ['labels.tier', { labels: { tier: 'back' } }],
    ['restart', { restart: 'always' }],
    ['cap_add', { cap_add: null }],
    ['cpus', { deploy: { resources: { limits: { memory: '104857600' } } } }],
    ['networks', { networks: { default: null } }],
    ['network_mode', { networks: null, network_mode: 'host' }],
    ['ports', { ports: [{ target: 80, published: '8081', protocol: 'tcp' }] }],
    ['replicas', { deploy: { ...(service.deploy as JsonObject), replicas: 2 } }],
    ['healthcheck', { healthcheck: { test: ['CMD', 'true'] } }],
    ['user', { user: 'nobody' }],
    ['init', { init: true }],
  ])('%s', (field, change) => {
    expect(differences({ web: { ...service, ...change } })).toEqual({ web: [field] });
  });

  test('a mount that is another, one that is missing, and one too many', () => {
    const volumes = [
      { type: 'volume', source: 'data', target: '/data', read_only: true },
      { type: 'volume', target: '/cache' },
      { type: 'bind', source: '/srv/shop/more', target: '/more/' },
    ];
    expect(differences({ web: { ...service, volumes } })).toEqual({
      web: ['volumes./data', 'volumes./more', 'volumes./site'],
    });
  });

  test('a service without a container, and a container without a service', () => {
    const image = 'shop/worker';
    expect(differences({ worker: { image }, optional: { image, profiles: ['debug'] } })).toEqual({
      web: ['no such service'],
      worker: ['replicas'],
    });
  });
});

test('what the files leave to the image, or to Compose, is no difference', () => {
  const { image: _, ...built } = service;
  const container = { ...web, image: { ...web.image, reference: 'shop-web' } };
  expect(differences({ web: built }, [container])).toEqual({});
  const another = {
    ...web,
    config: { ...web.config, Labels: { ...labels, 'com.docker.compose.project': 'x' } },
  };
  expect(differences({}, [another])).toEqual({});
});
