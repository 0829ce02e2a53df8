import { describe, expect, test } from 'vitest';
import { type EnvironmentModel, environmentModelSchema } from './environment-model.ts';

const container: EnvironmentModel['containers'][number] = {
  name: 'shop-web-1',
  component: 'web',
  image: { reference: 'shop/web', id: `sha256:${'a'.repeat(64)}`, digests: [] },
  isRunning: true,
  config: { Env: ['TOKEN=x'], Labels: { a: 'b' }, Healthcheck: null },
  hostConfig: { Binds: ['shop_data:/data:rw'], NanoCpus: 0 },
  endpoints: { shop_default: { Aliases: ['web'] } },
  volumes: [{ name: 'shop_data', destination: '/data', isAnonymous: false }],
};
const model: EnvironmentModel = {
  version: 1,
  engine: { version: '28.0.0', architecture: 'x86_64', os: 'linux' },
  project: 'shop',
  folder: '/srv/shop',
  containers: [container],
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
        subnets: [{ subnet: '172.18.0.0/16', ipRange: '', gateway: '172.18.0.1', auxiliaryAddresses: {} }],
      },
      options: {},
      labels: {},
    },
  ],
  volumes: [
    { name: 'shop_data', isExternal: false, isAnonymous: false, driver: 'local', options: {}, labels: {} },
  ],
  composeDifferences: { web: ['image', 'environment.TOKEN'] },
};

const isTaken = (value: unknown) => environmentModelSchema.safeParse(value).success;
const withContainer = (change: object) => isTaken({ ...model, containers: [{ ...container, ...change }] });

test('takes a model as it is', () => {
  expect(environmentModelSchema.parse(JSON.parse(JSON.stringify(model)))).toEqual(model);
  const { composeDifferences: _, ...withoutThem } = model;
  expect(environmentModelSchema.parse(withoutThem)).toEqual({ ...model, composeDifferences: null });
});

describe('refuses', () => {
  test('anything else at the top', () => {
    expect(isTaken({ ...model, more: 1 })).toBe(false);
    expect(isTaken({ ...model, version: 2 })).toBe(false);
    expect(isTaken({ ...model, folder: 'relative' })).toBe(false);
    expect(isTaken({ ...model, containers: [container, container] })).toBe(false);
  });

  test.each([
    ['a name that leads elsewhere', { name: '../x' }],
    ['no name', { name: '' }],
    ['a volume that is a path', { volumes: [{ name: '/etc', destination: '/x', isAnonymous: false }] }],
    ['an image id that is none', { image: { ...container.image, id: 'latest' } }],
    ['a list for an object', { config: [] }],
    ['what is no JSON', { config: { a: undefined } }],
    ['an unknown field', { privileged: true }],
    ['too many values', { hostConfig: { Binds: Array.from({ length: 20_001 }, () => '') } }],
    ['a text without end', { config: { Cmd: ['x'.repeat(2 ** 20 + 1)] } }],
    ['a name that changes what objects are', { config: JSON.parse('{"__proto__": {"a": 1}}') }],
  ])('%s in a container', (_, change) => {
    expect(withContainer(change)).toBe(false);
  });

  test('a depth that would exhaust the stack', () => {
    const deep = JSON.parse(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
    expect(withContainer({ config: deep })).toBe(false);
  });
});
