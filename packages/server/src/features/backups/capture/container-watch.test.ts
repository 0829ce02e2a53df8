import { expect, test } from 'vitest';
import { startedMeanwhile, type WatchedContainer } from './container-watch.ts';

const never = '0001-01-01T00:00:00Z';

function container(containerId: string, startedAt: string, goesOn = false): WatchedContainer {
  return {
    containerId,
    name: `name of ${containerId}`,
    addresses: [],
    publishedPorts: [],
    startedAt,
    goesOn,
    isGate: false,
    holding: undefined,
    isSpared: false,
  };
}

test('nothing ran when all that ran is paused in the same run, and nothing else was started', () => {
  const before = [container('app', '1', true), container('stopped', '0'), container('created', never)];
  const after = [container('app', '1'), container('stopped', '0'), container('created', never)];
  expect(startedMeanwhile(before, after)).toEqual([]);
  expect(startedMeanwhile(before, [])).toEqual([]);
});

test.each([
  ['goes on', [container('app', '1', true)]],
  ['was started anew, also if it is paused or has ended again', [container('app', '2')]],
  ['is new and was started', [container('other', '5')]],
])('a container that %s is named', (_what, after) => {
  expect(startedMeanwhile([container('app', '1', true)], after)).toEqual([after[0]?.name]);
});

test('a new container that was never started wrote nothing', () => {
  expect(startedMeanwhile([], [container('other', never)])).toEqual([]);
});
