import type { ContainerCalls } from '@holdfast/docker';
import { expect, test } from 'vitest';
import { untilHealthy } from './until-healthy.ts';

type Inspected = Awaited<ReturnType<ContainerCalls['inspect']>>;
type State = Pick<Inspected['state'], 'running' | 'status' | 'health'>;

/** Each container goes through its states, and stays at the last. */
function containers(states: Readonly<Record<string, readonly State[]>>): Pick<ContainerCalls, 'inspect'> {
  const seen = new Map<string, number>();
  return {
    inspect: async (id) => {
      const at = seen.get(id) ?? 0;
      seen.set(id, at + 1);
      const all = states[id] ?? [];
      return { state: all[Math.min(at, all.length - 1)] } as Inspected;
    },
  };
}

const running = { running: true, status: 'running' } as const;

test('waits for health checks, and names what is not well', async () => {
  const engine = containers({
    plain: [{ ...running, health: 'none' }],
    slow: [
      { ...running, health: 'starting' },
      { ...running, health: 'healthy' },
    ],
    sick: [
      { ...running, health: 'starting' },
      { ...running, health: 'unhealthy' },
    ],
    gone: [{ running: false, status: 'exited', health: 'none' }],
  });
  const started = ['plain', 'slow', 'sick', 'gone'].map((id) => ({ id, name: `app-${id}` }));
  expect(await untilHealthy(engine, started, {})).toEqual([
    'app-sick is unhealthy after it was started.',
    'app-gone is exited after it was started.',
  ]);
});

test('does not wait where the work has to stop', async () => {
  const engine = containers({ slow: [{ ...running, health: 'starting' }] });
  const signal = AbortSignal.abort();
  expect(await untilHealthy(engine, [{ id: 'slow', name: 'slow' }], { signal })).toEqual([]);
});
