import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type GuardEvent, parseGuardEvent, parseGuardMessage, parseGuardSpec } from './guard-protocol.ts';

test('a spec is understood whole or not at all', () => {
  const spec = {
    host: 'unix:///run/docker.sock',
    containers: [{ containerId: 'a', startedAt: '2026-11-21T02:19:15.045384238Z' }],
    deadlineMs: 5,
  };
  expect(parseGuardSpec(JSON.stringify(spec))).toEqual(spec);
  expect(parseGuardSpec(JSON.stringify({ ...spec, containers: [] }))).toEqual({ ...spec, containers: [] });
  expect(parseGuardSpec(JSON.stringify({ ...spec, containers: [{ containerId: 'a' }] }))).toBeUndefined();
  expect(parseGuardSpec(JSON.stringify({ ...spec, host: undefined }))).toBeUndefined();
  expect(parseGuardSpec(JSON.stringify({ ...spec, deadlineMs: 'soon' }))).toBeUndefined();
});

test('events come through as they were', () => {
  const events: GuardEvent[] = [
    { type: 'ready' },
    { type: 'armed', pid: 5, startTicks: '77', containers: ['a', 'b'] },
    { type: 'thawing', reason: 'deadline' },
    { type: 'thawed', containers: ['a'] },
    { type: 'failed', error: { code: 'docker-unreachable', message: 'm', hint: 'h' } },
    { type: 'ended' },
  ];
  for (const event of events) expect(parseGuardEvent(JSON.stringify(event))).toEqual(event);
});

test('garbage is nothing, never a throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      expect(parseGuardMessage(line)).toBeUndefined();
      expect(parseGuardSpec(line)).toBeUndefined();
      expect(parseGuardEvent(line)).toBeUndefined();
    }),
  );
});
