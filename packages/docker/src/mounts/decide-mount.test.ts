import { expect, test } from 'vitest';
import type { Component, Mount, MountSource } from '../discovery/environment.ts';
import { decideMount, hostPathOf, type MountFacts } from './decide-mount.ts';

const folder = '/srv/notes';

function component(name: string, more: Partial<Component> = {}): Component {
  return { name, isLeftOut: false, include: [], exclude: [], instances: [], ...more };
}

function mount(source: MountSource, components: readonly string[] = ['web']): Mount {
  const points = components.map((name) => ({ component: name, path: '/data', readOnly: false }));
  return { id: 'x', source, points, otherUsers: [] };
}

function bind(path: string, components?: readonly string[]): Mount {
  return mount({ kind: 'bind', path }, components);
}

function volume(kind: 'volume' | 'anonymous', options: Record<string, string> = {}): Mount {
  const name = kind === 'volume' ? 'notes_db' : 'f'.repeat(64);
  const labels: Record<string, string> = kind === 'volume' ? { 'com.docker.compose.volume': 'db' } : {};
  return mount({
    kind,
    name,
    driver: 'local',
    mountpoint: `/var/lib/docker/volumes/${name}/_data`,
    labels,
    options,
  });
}

const facts: MountFacts = {
  components: [component('web')],
  folders: [{ path: folder, realPath: folder }],
  protectedPaths: [
    { path: '/var/lib/docker', what: "Docker's own data" },
    { path: '/srv/notes/.holdfast', what: "Holdfast's data" },
    { path: '/backup/vault', what: 'the vault main' },
  ],
  resolved: null,
};

function decide(subject: Mount, more: Partial<MountFacts> = {}) {
  const path = hostPathOf(subject);
  const resolved = path === null ? null : ({ resolved: true, path, type: 'folder' } as const);
  return decideMount(subject, { ...facts, resolved, ...more });
}

const resolvedTo = (path: string) => ({ resolved: { resolved: true, path, type: 'folder' } as const });

test('volumes are in, named or not', () => {
  expect(decide(volume('volume'))).toEqual({ included: true, reason: 'named volume' });
  expect(decide(volume('anonymous'))).toEqual({ included: true, reason: 'anonymous volume' });
  expect(decide({ ...volume('volume'), points: [] })).toMatchObject({ included: true });
});

test('a volume in memory is out, whatever labels say', () => {
  const components = [component('web', { include: ['notes_db'] })];
  for (const type of ['tmpfs', 'ramfs']) {
    const subject = volume('volume', { type, device: type });
    expect(decide(subject, { components })).toMatchObject({
      included: false,
      reason: expect.stringMatching(/in memory/),
    });
  }
});

test('a volume that Holdfast keeps its data in is out', () => {
  const path = '/var/lib/docker/volumes/notes_db/_data/vault';
  const protectedPaths = [...facts.protectedPaths, { path, what: "Holdfast's vault" }];
  expect(decide(volume('volume'), { protectedPaths })).toEqual({
    included: false,
    reason: "never: it contains Holdfast's vault",
  });
});

test('bind mounts are in inside the project’s folder, and out elsewhere', () => {
  expect(decide(bind(`${folder}/site`))).toEqual({
    included: true,
    reason: "bind mount inside the project's folder /srv/notes",
  });
  expect(decide(bind('/srv/notes-2/site'))).toEqual({
    included: false,
    reason: "bind mount outside the project's folder /srv/notes; holdfast.include chooses it",
    isGap: true,
  });
  expect(decide(bind('/srv/x'), { folders: [] })).toMatchObject({ included: false });
  expect(decide(bind('/srv/x'), { folders: [{ path: '/', realPath: '/' }] })).toMatchObject({
    included: false,
  });
});

test.each([
  ['/', 'the root of the machine'],
  ['/proc', 'within /proc'],
  ['/proc/sys', 'within /proc'],
  ['/sys/fs', 'within /sys'],
  ['/dev/fuse', 'within /dev'],
  ['/run/docker.sock', 'within /run'],
  ['/etc/localtime', 'belongs to the machine'],
  ['/var/lib/docker/volumes/x', "within Docker's own data"],
  ['/var/lib', "contains Docker's own data"],
  ['/var', "contains Docker's own data"],
  ['/srv/notes/.holdfast/vault', "within Holdfast's data"],
  ['/srv/notes', "contains Holdfast's data"],
  ['/backup', 'contains the vault main'],
])('%s is never in, whatever labels say', (path, reason) => {
  const components = [component('web', { include: [path, '/data'] })];
  const decision = decide(bind(path), { components });
  expect(decision).toEqual({ included: false, reason: expect.stringContaining(reason) });
  const linked = decide(bind(`${folder}/link`), { components, ...resolvedTo(path) });
  expect(linked).toEqual({ included: false, reason: expect.stringMatching(/^never: it leads to /) });
});

test.each(['socket', 'pipe', 'device'] as const)('a %s is never in', (type) => {
  const resolved = { resolved: true, path: `${folder}/thing`, type } as const;
  const components = [component('web', { include: ['/data'] })];
  expect(decide(bind(`${folder}/thing`), { resolved, components })).toMatchObject({ included: false });
});

test('a link out of the project’s folder does not sneak anything in', () => {
  expect(decide(bind(`${folder}/link`), resolvedTo('/home/other'))).toEqual({
    included: false,
    reason: "it leads out of the project's folder, to /home/other",
    isGap: true,
  });
  const resolved = { resolved: false, reason: 'ELOOP' } as const;
  expect(decide(bind(`${folder}/loop`), { resolved })).toMatchObject({ included: false });
});

test('a project’s folder that is itself behind a link is its folder', () => {
  const folders = [{ path: '/home/me/app', realPath: '/data/app' }];
  expect(decide(bind('/home/me/app/x'), { folders, ...resolvedTo('/data/app/x') })).toMatchObject({
    included: true,
  });
});

test('what a volume’s options bind is looked at like a bind', () => {
  const options = { type: 'none', o: 'bind', device: '/var/run' };
  expect(decide(volume('volume', options), resolvedTo('/run'))).toMatchObject({ included: false });
  const harmless = { type: 'none', o: 'bind', device: '/mnt/big' };
  expect(decide(volume('volume', harmless))).toMatchObject({ included: true });
  expect(hostPathOf(volume('volume', { type: 'nfs', device: ':/export' }))).toBeNull();
});

test('memory and unknown kinds are out', () => {
  expect(decide(mount({ kind: 'tmpfs' }))).toMatchObject({
    included: false,
    reason: expect.stringContaining('memory'),
  });
  expect(decide(mount({ kind: 'other', type: 'npipe' }))).toMatchObject({ included: false });
});

test('labels choose by name, path inside the container, path on the host', () => {
  for (const selector of ['/mnt/media', '/data', '/data/', '../../mnt/media', './../../mnt/media']) {
    const components = [component('web', { include: [selector] })];
    expect(decide(bind('/mnt/media'), { components })).toEqual({
      included: true,
      reason: 'chosen by holdfast.include on web',
      isChosen: true,
    });
  }
  for (const selector of ['db', 'notes_db', '/data']) {
    const components = [component('web', { exclude: [selector] })];
    expect(decide(volume('volume'), { components })).toEqual({
      included: false,
      reason: 'left out by holdfast.exclude on web',
    });
  }
  const components = [component('web', { exclude: ['/data/inner', 'other'] })];
  expect(decide(volume('volume'), { components })).toMatchObject({ included: true });
});

test('of two components that share a mount, keeping beats leaving out', () => {
  const shared = { ...volume('volume'), points: mount({ kind: 'tmpfs' }, ['web', 'worker']).points };
  const leftOut = component('web', { isLeftOut: true, include: ['db'] });
  expect(decide(shared, { components: [leftOut, component('worker')] })).toEqual({
    included: true,
    reason: 'named volume',
  });
  expect(decide(shared, { components: [leftOut, component('worker', { isLeftOut: true })] })).toEqual({
    included: false,
    reason: 'holdfast.backup=false on web, worker',
  });
  const excluding = component('web', { exclude: ['db'] });
  expect(decide(shared, { components: [excluding, component('worker')] })).toMatchObject({ included: false });
  expect(decide(shared, { components: [excluding, component('worker', { include: ['db'] })] })).toMatchObject(
    {
      included: true,
    },
  );
});
