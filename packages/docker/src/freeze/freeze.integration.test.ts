import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '@holdfast/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestEngine, type TestEngine } from '../testing/test-engine.ts';
import { freezeContainers } from './freeze-containers.ts';
import { type FreezeCalls, selectFreezeTargets } from './freeze-target.ts';
import { thawContainers } from './thaw-containers.ts';
import { verifyFrozen } from './verify-frozen.ts';

let engine: TestEngine;
beforeEach(async () => {
  engine = await openTestEngine();
});
afterEach(() => engine[Symbol.asyncDispose]());

async function statuses(ids: readonly string[]): Promise<string[]> {
  const inspected = await Promise.all(ids.map((id) => engine.docker.containers.inspect(id)));
  return inspected.map(({ state }) => state.status);
}

/** The engine's own calls, but that pausing one container fails the first `times`. */
function failingPause(container: string, times: number): FreezeCalls & { readonly failed: () => number } {
  const { containers } = engine.docker;
  let failed = 0;
  return {
    ...containers,
    failed: () => failed,
    pause: async (id, options) => {
      if (id === container && failed < times) {
        failed++;
        throw new HoldfastError('docker-refused', 'unable to freeze', { retry: true });
      }
      await containers.pause(id, options);
    },
  };
}

test('pauses what runs and leaves alone what does not', async () => {
  const { containers } = engine.docker;
  const running = [await engine.run(), await engine.run()];
  const pausedBefore = await engine.run();
  const created = await engine.run({ isStarted: false });
  const exited = await engine.run({ command: ['true'] });
  await containers.pause(pausedBefore);
  await delay(300);
  const all = [...running, pausedBefore, created, exited];
  const targets = await selectFreezeTargets(containers, all);
  expect(targets.map(({ containerId }) => containerId)).toEqual(running);
  const frozen = await freezeContainers(containers, targets);
  expect(frozen).toEqual(targets);
  expect(await statuses(all)).toEqual(['paused', 'paused', 'paused', 'created', 'exited']);
  expect(await verifyFrozen(containers, frozen)).toEqual({ intact: true });
  expect((await thawContainers(containers, frozen)).sort()).toEqual([...running].sort());
  expect(await statuses(all)).toEqual(['running', 'running', 'paused', 'created', 'exited']);
  expect(await thawContainers(containers, frozen)).toEqual([]);
});

test('thaws the rest when one cannot be paused, and tries again', async () => {
  const ids = [await engine.run(), await engine.run(), await engine.run()];
  const [, second = ''] = ids;
  const calls = failingPause(second, 2);
  const targets = await selectFreezeTargets(calls, ids);
  await freezeContainers(calls, targets);
  expect(calls.failed()).toBe(2);
  expect(await statuses(ids)).toEqual(['paused', 'paused', 'paused']);
});

test('leaves nothing paused when it gives up', async () => {
  const ids = [await engine.run(), await engine.run(), await engine.run()];
  const [, second = ''] = ids;
  const calls = failingPause(second, Number.POSITIVE_INFINITY);
  const targets = await selectFreezeTargets(calls, ids);
  await expect(freezeContainers(calls, targets)).rejects.toMatchObject({
    code: 'freeze-failed',
    context: { attempts: 3, containers: [expect.stringContaining('unable to freeze')] },
  });
  expect(await statuses(ids)).toEqual(['running', 'running', 'running']);
});

test('does not freeze a run that began after it was selected', async () => {
  const ids = [await engine.run(), await engine.run()];
  const [first = ''] = ids;
  const { containers } = engine.docker;
  const targets = await selectFreezeTargets(containers, ids);
  await containers.stop(first, { graceSeconds: 0 });
  await containers.start(first);
  await expect(freezeContainers(containers, targets)).rejects.toMatchObject({ code: 'freeze-failed' });
  expect(await statuses(ids)).toEqual(['running', 'running']);
});

test('goes without a container that ended after it was selected', async () => {
  const ids = [await engine.run(), await engine.run()];
  const [first = '', second = ''] = ids;
  const { containers } = engine.docker;
  const targets = await selectFreezeTargets(containers, ids);
  await containers.stop(first, { graceSeconds: 0 });
  const frozen = await freezeContainers(containers, targets);
  expect(frozen.map(({ containerId }) => containerId)).toEqual([second]);
  expect(await statuses(ids)).toEqual(['exited', 'paused']);
});

test('undoes what it did when the signal fires meanwhile', async () => {
  const ids = [await engine.run(), await engine.run()];
  const { containers } = engine.docker;
  const targets = await selectFreezeTargets(containers, ids);
  const controller = new AbortController();
  const freezing = freezeContainers(containers, targets, { signal: controller.signal });
  controller.abort();
  await expect(freezing).rejects.toMatchObject({ code: 'interrupted' });
  expect(await statuses(ids)).toEqual(['running', 'running']);
});

test('sees that a freeze was broken', async () => {
  const ids = [await engine.run(), await engine.run(), await engine.run()];
  const [first = '', second = '', third = ''] = ids;
  const { containers } = engine.docker;
  const frozen = await freezeContainers(containers, await selectFreezeTargets(containers, ids));
  await containers.unpause(first);
  await containers.remove(second);
  await containers.unpause(third);
  await containers.stop(third, { graceSeconds: 0 });
  await containers.start(third);
  await containers.pause(third);
  expect(await verifyFrozen(containers, frozen)).toEqual({
    intact: false,
    broken: [
      { containerId: first, reason: 'it goes on' },
      { containerId: second, reason: 'it ended or is gone' },
      { containerId: third, reason: 'it was started again' },
    ],
  });
  expect(await thawContainers(containers, frozen)).toEqual([]);
  expect(await statuses([first, third])).toEqual(['running', 'paused']);
});

test('pauses containers that write hard', async () => {
  const command = [
    'sh',
    '-c',
    'while true; do dd if=/dev/zero of=/f bs=4k count=50 conv=fsync 2>/dev/null; done',
  ];
  const ids = [await engine.run({ command }), await engine.run({ command })];
  const { containers } = engine.docker;
  await delay(300);
  const targets = await selectFreezeTargets(containers, ids);
  for (let round = 0; round < 3; round++) {
    const outcome = await freezeContainers(containers, targets).catch((error: unknown) => error);
    if (outcome instanceof HoldfastError) expect(outcome.code).toBe('freeze-failed');
    else expect(await verifyFrozen(containers, targets)).toEqual({ intact: true });
    await thawContainers(containers, targets);
    expect(await statuses(ids)).toEqual(['running', 'running']);
  }
});
