import { describe, expect, test } from 'vitest';
import { sampleContainer, sampleModel } from '../testing/sample-model.ts';
import { compareModels } from './compare-models.ts';
import type { ContainerModel } from './environment-model.ts';

const unnamed = (letter: string) => letter.repeat(64);

function difference(wanted: readonly ContainerModel[], now: readonly ContainerModel[]) {
  const compared = compareModels(sampleModel({ containers: wanted }), sampleModel({ containers: now }));
  return {
    ...compared,
    wanted: compared.wanted.map(({ name }) => name),
    fields: Object.fromEntries(compared.fields),
  };
}

test('what is as it was stays', () => {
  const web = sampleContainer({ name: 'web' });
  expect(difference([web], [web])).toEqual({ wanted: [], fields: {}, surplus: [] });
});

describe('what may differ without a container being another', () => {
  const web = sampleContainer({
    name: 'web',
    hostConfig: { RestartPolicy: { Name: 'always' } },
    config: { Labels: { mine: 'x' }, Volumes: { '/cache': {} } },
    volumes: [{ name: unnamed('a'), destination: '/cache', isAnonymous: true }],
  });

  test.each<[string, Partial<ContainerModel>]>([
    ['whether it runs', { isRunning: !web.isRunning }],
    ['its restart policy', { hostConfig: { RestartPolicy: { Name: 'no' } } }],
    [
      'how Compose made it',
      { config: { ...web.config, Labels: { mine: 'x', 'com.docker.compose.replace': 'abc' } } },
    ],
    [
      'its volumes without a name, that have one once it was made again',
      {
        hostConfig: {
          RestartPolicy: { Name: 'always' },
          Mounts: [{ Type: 'volume', Source: unnamed('b'), Target: '/cache' }],
        },
        volumes: [{ name: unnamed('b'), destination: '/cache', isAnonymous: true }],
      },
    ],
  ])('%s', (_, change) => {
    expect(difference([web], [{ ...web, ...change }]).wanted).toEqual([]);
  });
});

test.each<[string, string, Partial<ContainerModel>]>([
  [
    'another image under the same name',
    'Image',
    { image: { reference: 'web', id: `sha256:${unnamed('f')}`, digests: [] } },
  ],
  ['another variable', 'Env', { config: { Env: ['A=2'] } }],
  ['another limit', 'Memory', { hostConfig: { Memory: 1 } }],
  ['another network', 'Networks', { endpoints: { other: {} } }],
  [
    'a volume that has a name',
    'Volumes',
    { volumes: [{ name: 'shop_other', destination: '/data', isAnonymous: false }] },
  ],
])('%s makes it another', (_, field, change) => {
  const web = sampleContainer({ name: 'web' });
  expect(difference([web], [{ ...web, ...change }]).fields.web).toContain(field);
});

test('who shares the network of one that is made again is made again too, and who shares its', () => {
  const [web, aside, beside] = ['web', 'aside', 'beside'].map((name) => sampleContainer({ name })) as [
    ContainerModel,
    ContainerModel,
    ContainerModel,
  ];
  const sharing = (container: ContainerModel, other: string): ContainerModel => ({
    ...container,
    hostConfig: { ...container.hostConfig, NetworkMode: `container:${other}` },
  });
  const containers = [sharing(aside, 'beside'), sharing(beside, 'web'), web, sampleContainer({ name: 'db' })];
  const now = containers.map((each) => (each.name === 'web' ? { ...each, config: { Env: ['A=2'] } } : each));
  expect(difference(containers, now)).toEqual({
    wanted: ['aside', 'beside', 'web'],
    fields: {
      aside: ['what it shares with beside'],
      beside: ['what it shares with web'],
      web: ['Env'],
    },
    surplus: [],
  });
});

test('what is new is made, and what is no more is told', () => {
  const [web, job] = [sampleContainer({ name: 'web' }), sampleContainer({ name: 'job' })];
  expect(difference([web], [job])).toEqual({
    wanted: ['web'],
    fields: { web: ['new'] },
    surplus: ['job'],
  });
});
