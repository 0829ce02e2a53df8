import { expect, test } from 'vitest';
import { sealedPart } from '../../../testing/fixtures.ts';
import type { SurveyedMount } from '../../environments/survey.ts';
import { planCapture } from './plan-capture.ts';

function mount(name: string, changes: Partial<SurveyedMount['mount']> = {}): SurveyedMount {
  const source = { kind: 'volume' as const, name, driver: 'local', labels: {}, options: {} };
  const points = [{ component: 'web', path: `/${name}`, readOnly: false }];
  return {
    mount: { name, source, mountPoints: points, included: true, reason: '', ...changes },
    described: {
      id: `volume:${name}`,
      source: { ...source, mountpoint: '' },
      points,
      otherUsers: [],
      included: true,
      reason: '',
      realPath: null,
      coveredBy: null,
    },
  };
}

function bind(name: string, realPath: string | null): SurveyedMount {
  const { mount: asVolume, described } = mount(name);
  return {
    mount: { ...asVolume, source: { kind: 'bind', path: `/srv/${name}` } },
    described: { ...described, realPath },
  };
}

const all = { components: null, lastParts: new Map(), allowEmpty: false };

test('only what is included and has a lasting source is a part', () => {
  const mounts = [mount('a'), mount('b', { included: false }), mount('c', { source: null })];
  expect(planCapture(mounts, all).map(({ name }) => name)).toEqual(['a']);
});

test('with components named, only their mounts are; a mount of several goes with any of them', () => {
  const points = [
    { component: 'web', path: '/b', readOnly: true },
    { component: 'worker', path: '/b', readOnly: false },
  ];
  const mounts = [mount('a'), mount('b', { mountPoints: points }), mount('unmounted', { mountPoints: [] })];
  expect(planCapture(mounts, { ...all, components: ['worker'] }).map(({ name }) => name)).toEqual(['b']);
  expect(planCapture(mounts, all)).toHaveLength(3);
});

test('a bind is read where its links lead', () => {
  const places = planCapture([bind('a', '/mnt/a'), bind('b', null)], all).map(({ place }) => place);
  expect(places).toEqual([
    { kind: 'bind', path: '/mnt/a' },
    { kind: 'bind', path: '/srv/b' },
  ]);
});

test('what held data in the last backup must not be empty, unless that was said to be right', () => {
  const lastParts = new Map([
    ['a', sealedPart('a', 10)],
    ['b', { ...sealedPart('b', 0), files: 0 }],
  ]);
  const mounts = [mount('a'), mount('b'), mount('new')];
  const facts = (allowEmpty: boolean) =>
    planCapture(mounts, { ...all, lastParts, allowEmpty }).map(({ parentSnapshotId, mustNotBeEmpty }) => [
      parentSnapshotId !== null,
      mustNotBeEmpty,
    ]);
  expect(facts(false)).toEqual([
    [true, true],
    [true, false],
    [false, false],
  ]);
  expect(facts(true).map(([, mustNotBeEmpty]) => mustNotBeEmpty)).toEqual([false, false, false]);
});
