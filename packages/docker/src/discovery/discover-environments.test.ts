import { expect, test } from 'vitest';
import type { Container } from '../engine-port/engine-objects.ts';
import { recordedNotes } from '../testing/recorded-notes.ts';
import { discoverEnvironments, type EngineInventory } from './discover-environments.ts';
import type { Environment } from './environment.ts';

const anonymousName = /^volume:[0-9a-f]{64}$/;

function only(inventory: EngineInventory): Environment {
  const environments = discoverEnvironments(inventory);
  const [environment] = environments;
  if (environments.length !== 1 || environment === undefined) throw new Error('not exactly one environment');
  return environment;
}

/** The recorded containers, each with labels changed: `null` takes one away. */
function relabelled(change: (container: Container) => Record<string, string | null>): EngineInventory {
  const { containers, volumes } = recordedNotes();
  const changed = containers.map((container) => ({
    ...container,
    labels: Object.fromEntries(
      Object.entries({ ...container.labels, ...change(container) }).flatMap(([name, value]) =>
        value === null ? [] : [[name, value]],
      ),
    ),
  }));
  return { containers: changed, volumes };
}

test('a Compose project is an environment', () => {
  const environment = only(recordedNotes());
  expect(environment).toMatchObject({
    name: 'notes',
    composeProject: 'notes',
    type: 'staging',
    state: 'active',
    folder: '/srv/notes',
    configFiles: ['/srv/notes/compose.yaml'],
    warnings: [],
  });
  expect(
    environment.components.map(({ name, instances }) => [name, instances.map((instance) => instance.status)]),
  ).toEqual([
    ['report', ['exited']],
    ['web', ['running']],
    ['worker', ['running']],
  ]);
});

test('a container of `docker compose run` is no instance, but is known', () => {
  const environment = only(recordedNotes());
  expect(environment.oneOffs.map(({ name, component }) => [name, component])).toEqual([
    [expect.stringMatching(/^notes-worker-run-/), 'worker'],
  ]);
});

test('each source is one mount, with every place that mounts it', () => {
  const { mounts } = only(recordedNotes());
  expect(mounts.map(({ id }) => id)).toEqual([
    'bind:/etc/localtime',
    'bind:/srv/notes/conf/app.conf',
    'bind:/srv/notes/site',
    'bind:/var/run/docker.sock',
    'tmpfs:web:/srv/tmp',
    expect.stringMatching(anonymousName),
    'volume:notes_linked',
    'volume:notes_reports',
    'volume:notes_uploads',
  ]);
  expect(mounts.find(({ id }) => id === 'volume:notes_uploads')).toMatchObject({
    source: { kind: 'volume', name: 'notes_uploads', driver: 'local', options: {} },
    points: [
      { component: 'web', path: '/srv/uploads', readOnly: false },
      { component: 'worker', path: '/data', readOnly: true },
    ],
    otherUsers: [],
  });
  expect(mounts.find(({ id }) => id === 'volume:notes_linked')?.source).toMatchObject({
    options: { device: '/srv/notes/linked', o: 'bind', type: 'none' },
  });
  expect(mounts.find(({ id }) => anonymousName.test(id))?.source.kind).toBe('anonymous');
});

test('labels of Compose 1, with a file relative to its folder, are understood', () => {
  const inventory = relabelled(() => ({
    'com.docker.compose.version': '1.29.2',
    'com.docker.compose.project.config_files': 'docker-compose.yml,docker-compose.override.yml',
  }));
  expect(only(inventory).configFiles).toEqual([
    '/srv/notes/docker-compose.yml',
    '/srv/notes/docker-compose.override.yml',
  ]);
});

test('containers are joined by label across Compose projects, and named by label', () => {
  const inventory = relabelled(({ name }) => ({
    'holdfast.environment': 'shop',
    'holdfast.project': 'acme',
    ...(name.includes('web')
      ? { 'com.docker.compose.project': 'other', 'com.docker.compose.project.working_dir': '/srv/other' }
      : { 'holdfast.component': 'jobs' }),
  }));
  const environment = only(inventory);
  expect(environment).toMatchObject({ name: 'shop', project: 'acme', folders: ['/srv/notes', '/srv/other'] });
  expect(environment.components.map(({ name, instances }) => [name, instances.length])).toEqual([
    ['jobs', 2],
    ['web', 1],
  ]);
});

test('containers of nothing belong to none, but are seen as users of the same sources', () => {
  const inventory = relabelled(({ name }) =>
    name.includes('worker') ? { 'com.docker.compose.project': null } : {},
  );
  const environment = only(inventory);
  expect(environment.components.map(({ name }) => name)).toEqual(['report', 'web']);
  const uploads = environment.mounts.find(({ id }) => id === 'volume:notes_uploads');
  expect(uploads?.otherUsers.map(({ name }) => name).sort()).toEqual([
    'notes-worker-1',
    expect.stringMatching(/^notes-worker-run-/),
  ]);
});

test('a volume of the project that nothing mounts is still one of its mounts', () => {
  const { containers, volumes } = recordedNotes();
  const environment = only({ containers: containers.filter(({ name }) => name.includes('web')), volumes });
  expect(environment.mounts.find(({ id }) => id === 'volume:notes_reports')).toMatchObject({ points: [] });
});

test('a project of which only volumes are left is inactive', () => {
  const { volumes } = recordedNotes();
  const environment = only({ containers: [], volumes });
  expect(environment).toMatchObject({ name: 'notes', state: 'inactive', folder: null, components: [] });
  expect(environment.mounts.map(({ id }) => id)).toEqual([
    'volume:notes_linked',
    'volume:notes_reports',
    'volume:notes_uploads',
  ]);
});

test('labels that cannot be followed are told', () => {
  const inventory = relabelled(({ name }) =>
    name.includes('web')
      ? { 'holdfast.environment.type': 'prod', 'holdfast.backup': 'nope' }
      : { 'holdfast.backup': 'false' },
  );
  const environment = only(inventory);
  expect(environment.type).toBe('production');
  expect(environment.components.map(({ name, isLeftOut }) => [name, isLeftOut])).toEqual([
    ['report', true],
    ['web', false],
    ['worker', true],
  ]);
  expect(environment.warnings).toEqual([
    'holdfast.environment.type=prod is none of production, staging, development.',
    'holdfast.backup=nope on component web is neither true nor false.',
  ]);
});

test('the hold limit is the shortest that a label says', () => {
  const limits = (web: string, others: string) =>
    only(relabelled(({ name }) => ({ 'holdfast.hold.limit': name.includes('web') ? web : others })));
  expect(limits('1m', '20s')).toMatchObject({ holdLimitMs: 20_000, warnings: [] });
  expect(limits('soon', '20s')).toMatchObject({
    holdLimitMs: 20_000,
    warnings: ['holdfast.hold.limit=soon is no duration as in 20s or 1m.'],
  });
  expect(only(relabelled(() => ({})))).not.toHaveProperty('holdLimitMs');
});

test('Holdfast’s own containers are no part of anything', () => {
  const inventory = relabelled(() => ({ 'holdfast.internal': 'probe' }));
  expect(only(inventory)).toMatchObject({ state: 'inactive' });
});
