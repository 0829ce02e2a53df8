import type { MountPoint, MountSource, SealedPart } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { sealedPart } from '../../testing/fixtures.ts';
import type { SurveyedMount } from '../environments/survey.ts';
import { planRestore } from './plan-restore.ts';
import type { ChosenPath } from './restore-choice.ts';

const at = (component: string, path: string): MountPoint => ({ component, path, readOnly: false });
const volume = (name: string): MountSource => ({
  kind: 'volume',
  name,
  driver: 'local',
  labels: {},
  options: {},
});
const anonymous = (name: string): MountSource => ({ kind: 'anonymous', name });
const bind = (path: string): MountSource => ({ kind: 'bind', path });

function part(name: string, source: MountSource, ...mountPoints: MountPoint[]): SealedPart {
  return { ...sealedPart(name, 1), source, mountPoints };
}

function target(name: string, source: MountSource, ...mountPoints: MountPoint[]): SurveyedMount {
  const described = {
    id: name,
    source: { kind: 'other' as const, type: 'test' },
    points: mountPoints,
    otherUsers: [],
    included: true,
    reason: '',
    realPath: null,
    coveredBy: null,
  };
  return { mount: { name, source, mountPoints, included: true, reason: '' }, described };
}

function plan(
  parts: SealedPart[],
  targets: SurveyedMount[],
  components: string[] | null = null,
  isElsewhere = false,
) {
  const { parts: planned, warnings } = planRestore(parts, {
    targets,
    choice: { components, paths: null },
    isElsewhere,
  });
  return { planned: planned.map((each) => [each.part.name, each.target.mount.name]), warnings };
}

describe('a part goes', () => {
  test('to the volume of its name, wherever that is mounted now', () => {
    const targets = [target('data', volume('data'), at('worker', '/elsewhere'))];
    expect(plan([part('data', volume('data'), at('web', '/data'))], targets)).toEqual({
      planned: [['data', 'data']],
      warnings: [],
    });
  });

  test('to the anonymous volume at its path in its component, whatever that is called now', () => {
    const targets = [
      target('web:/other', anonymous('aaaa'), at('web', '/other')),
      target('web:/data', anonymous('bbbb'), at('web', '/data')),
    ];
    const { planned } = plan([part('web:/data', anonymous('cccc'), at('web', '/data'))], targets);
    expect(planned).toEqual([['web:/data', 'web:/data']]);
  });

  test('to what its component binds at its path, wherever that is on the host now', () => {
    const targets = [target('./files', bind('/srv/moved/files'), at('web', '/files'))];
    const { planned } = plan([part('./files', bind('/srv/old/files'), at('web', '/files'))], targets);
    expect(planned).toEqual([['./files', './files']]);
  });
});

describe('a part is not restored, and it is said why,', () => {
  test('when the environment has nothing of its kind and place', () => {
    const parts = [
      part('data', volume('data'), at('web', '/data')),
      part('web:/anon', anonymous('x'), at('web', '/anon')),
      part('./files', bind('/srv/files'), at('web', '/files')),
    ];
    const targets = [
      target('data', bind('/data'), at('web', '/data')),
      target('named', volume('named'), at('web', '/anon')),
    ];
    const { planned, warnings } = plan(parts, targets);
    expect(planned).toEqual([]);
    expect(warnings).toEqual([
      'Not restored: data: the environment has no volume data now.',
      'Not restored: web:/anon: no container has an anonymous volume at /anon in web now; run docker compose create and restore again.',
      'Not restored: ./files: the environment binds nothing at /files in web now.',
    ]);
  });

  test('when a rule leaves its place out now', () => {
    const left = target('data', volume('data'), at('web', '/data'));
    const out = { ...left, mount: { ...left.mount, included: false, reason: 'never: it is a socket' } };
    expect(plan([part('data', volume('data'))], [out]).warnings).toEqual([
      'Not restored: data: it is left out now: never: it is a socket.',
    ]);
  });

  test('when another part has its place', () => {
    const targets = [target('./a', bind('/srv/a'), at('web', '/a'), at('web', '/b'))];
    const parts = [
      part('./a', bind('/srv/a'), at('web', '/a')),
      part('./b', bind('/srv/b'), at('web', '/b')),
    ];
    expect(plan(parts, targets)).toEqual({
      planned: [['./a', './a']],
      warnings: ['Not restored: ./b: ./a goes to the same place.'],
    });
  });
});

test('with components named, only their parts are restored, and no word is lost on the others', () => {
  const parts = [
    part('a', volume('a'), at('web', '/a'), at('worker', '/a')),
    part('b', volume('b'), at('web', '/b')),
    part('c', volume('c')),
  ];
  const targets = [target('a', volume('a')), target('b', volume('b')), target('c', volume('c'))];
  expect(plan(parts, targets, ['worker'])).toEqual({ planned: [['a', 'a']], warnings: [] });
});

test('with paths named, only the parts that they are in are restored, and only those paths of them', () => {
  const parts = ['a', 'b', 'c'].map((name) => part(name, volume(name), at('web', `/${name}`)));
  const targets = ['a', 'b', 'c'].map((name) => target(name, volume(name), at('web', `/${name}`)));
  const only = (paths: ChosenPath[]) =>
    planRestore(parts, { targets, choice: { components: null, paths }, isElsewhere: false }).parts.map(
      (planned) => [planned.part.name, planned.only],
    );
  expect(
    only([
      { part: 'a', names: ['x', 'y'] },
      { part: 'c', names: [] },
      { part: 'a', names: ['z'] },
    ]),
  ).toEqual([
    ['a', [['x', 'y'], ['z']]],
    ['c', null],
  ]);
  expect(
    only([
      { part: 'b', names: ['x'] },
      { part: 'b', names: [] },
    ]),
  ).toEqual([['b', null]]);
});

describe('in another environment a part goes', () => {
  const keyed = (name: string, key: string): MountSource => {
    return {
      kind: 'volume',
      name,
      driver: 'local',
      labels: { 'com.docker.compose.volume': key },
      options: {},
    };
  };
  const elsewhere = (parts: SealedPart[], targets: SurveyedMount[]) => plan(parts, targets, null, true);

  test('to what its component mounts at its path, named or not, and never to a volume only for its name', () => {
    const parts = [
      part('shop_data', keyed('shop_data', 'data'), at('web', '/data')),
      part('web:/cache', anonymous('aaaa'), at('web', '/cache')),
      part('./conf', bind('/srv/shop/conf'), at('web', '/conf')),
      part('plain', volume('plain'), at('web', '/plain')),
    ];
    const targets = [
      target('plain', volume('plain'), at('db', '/plain')),
      target('web:/data', anonymous('bbbb'), at('web', '/data')),
      target('staging_cache', keyed('staging_cache', 'cache'), at('web', '/cache')),
      target('./conf', bind('/srv/staging/conf'), at('web', '/conf')),
    ];
    expect(elsewhere(parts, targets)).toEqual({
      planned: [
        ['shop_data', 'web:/data'],
        ['web:/cache', 'staging_cache'],
        ['./conf', './conf'],
      ],
      warnings: ['Not restored: plain: the target mounts no volume at /plain in web.'],
    });
  });

  test('else to the volume of its key, unless another part is mounted as that is', () => {
    const parts = [
      part('shop_a', keyed('shop_a', 'a'), at('old', '/a')),
      part('shop_b', keyed('shop_b', 'b'), at('old', '/b')),
      part('shop_c', keyed('shop_c', 'c'), at('web', '/b')),
    ];
    const targets = [
      target('staging_a', keyed('staging_a', 'a'), at('web', '/a')),
      target('staging_b', keyed('staging_b', 'b'), at('web', '/b')),
    ];
    expect(elsewhere(parts, targets)).toEqual({
      planned: [
        ['shop_a', 'staging_a'],
        ['shop_c', 'staging_b'],
      ],
      warnings: [
        'Not restored: shop_b: the target mounts no volume at /b in old, nor one that its Compose file calls b.',
      ],
    });
  });

  test('not from a folder to a volume, nor the other way: it may be a file', () => {
    const parts = [part('./x', bind('/srv/x'), at('web', '/x')), part('y', volume('y'), at('web', '/y'))];
    const targets = [
      target('x', volume('x'), at('web', '/x')),
      target('./y', bind('/srv/y'), at('web', '/y')),
    ];
    expect(elsewhere(parts, targets).planned).toEqual([]);
  });

  test('not to what somebody else uses too', () => {
    const shared = target('shared', volume('shared'), at('web', '/data'));
    const otherUsers = [{ containerId: 'c9', name: 'shop-web-1' }];
    const targets = [{ ...shared, described: { ...shared.described, otherUsers } }];
    const parts = [part('shared', volume('shared'), at('web', '/data'))];
    expect(elsewhere(parts, targets).warnings).toEqual([
      'Not restored: shared: containers of others use shared too: shop-web-1.',
    ]);
    expect(plan(parts, targets).planned).toEqual([['shared', 'shared']]);
  });
});
