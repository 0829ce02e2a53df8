import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../crypto/hash.ts';
import { FaultBackend } from '../../testing/fault-backend.ts';
import type { BackendMethod, ScriptedFault } from '../../testing/fault-script.ts';
import { ManualTime } from '../../testing/manual-runtime.ts';
import { MemoryBackend } from '../../testing/memory-backend.ts';
import type { Backend, FileName } from '../backend.ts';
import type { RetryOptions } from './repeater.ts';
import { withRetries } from './retries.ts';

const bytes = randomBytes(1_000);
const id = sha256(bytes);
const file: FileName = { kind: 'data', id };

interface Bed {
  readonly inner: FaultBackend;
  readonly backend: Backend;
  readonly delays: number[];
}

async function bed(faults: readonly ScriptedFault[], options: RetryOptions = {}): Promise<Bed> {
  const memory = new MemoryBackend();
  await memory.save(file, [bytes]);
  const inner = new FaultBackend(memory, faults);
  const delays: number[] = [];
  const backend = withRetries(inner, {
    random: () => 1,
    clock: new ManualTime(),
    sleep: async (durationMs) => void delays.push(durationMs),
    ...options,
  });
  return { inner, backend, delays };
}

const calls: Readonly<Record<BackendMethod, (backend: Backend) => Promise<unknown>>> = {
  create: (backend) => backend.create(),
  save: (backend) => backend.save(file, [bytes]),
  load: (backend) => backend.load(file),
  loadRange: (backend) => backend.loadRange(file, { offset: 0, length: 10 }),
  stat: (backend) => backend.stat(file),
  list: (backend) => Array.fromAsync(backend.list('data')),
  remove: (backend) => backend.remove(file),
  removeLeftovers: (backend) => backend.removeLeftovers(0),
};

describe.each(Object.entries(calls))('withRetries: %s', (name, call) => {
  const method = name as BackendMethod;

  it('goes through what fails once and then twice', async () => {
    const { inner, backend, delays } = await bed([
      { method, calls: [1, 3, 4], effect: 'fails' },
      { method, calls: [6], effect: 'slow' },
    ]);
    const expected = await call((await bed([])).backend);
    expect(await call(backend)).toEqual(expected);
    await call(backend);
    await call(backend);
    expect(inner.script.unused).toEqual([]);
    expect(delays).toEqual([250, 250, 500]);
  });

  it('ends after so many attempts', async () => {
    const { inner, backend, delays } = await bed([{ method, effect: 'fails' }], { maxFirstAttempts: 4 });
    const told = { code: 'storage-unreachable', retry: true, context: { attempts: 4 } };
    await expect(call(backend)).rejects.toMatchObject(told);
    expect(inner.calls).toBe(4);
    expect(delays).toEqual([250, 500, 1_000]);
  });

  it('does not repeat what cannot help', async () => {
    const { inner, backend } = await bed([{ method, effect: 'fails-for-good' }]);
    await expect(call(backend)).rejects.toMatchObject({ code: 'storage-unreachable', retry: false });
    expect(inner.calls).toBe(1);
  });
});

describe('withRetries', () => {
  it('tries longer once the place has answered', async () => {
    const { inner, backend, delays } = await bed([{ method: 'load', effect: 'fails' }]);
    await backend.stat(file);
    await expect(backend.load(file)).rejects.toMatchObject({ context: { attempts: 10 } });
    expect(inner.calls).toBe(11);
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('begins no attempt after the time is over', async () => {
    const time = new ManualTime();
    const sleep = async (durationMs: number): Promise<void> => time.advance(durationMs);
    const { inner, backend } = await bed([{ method: 'load', effect: 'fails' }], {
      clock: time,
      sleep,
      maxElapsedMs: 2_000,
    });
    await backend.stat(file);
    await expect(backend.load(file)).rejects.toMatchObject({ context: { attempts: 4 } });
    expect(inner.calls).toBe(5);
  });

  it('leaves out a random half of each delay', async () => {
    const { backend, delays } = await bed([{ method: 'load', effect: 'fails' }], { random: () => 0 });
    await expect(backend.load(file)).rejects.toMatchObject({ code: 'storage-unreachable' });
    expect(delays).toEqual([125, 250, 500, 1_000]);
  });

  it('tells of each attempt that it repeats', async () => {
    const told: unknown[] = [];
    const { backend } = await bed([{ method: 'stat', calls: [1, 2], effect: 'fails' }], {
      onRetry: ({ attempt, delayMs, error }) => told.push([attempt, delayMs, error.code]),
    });
    await backend.stat(file);
    expect(told).toEqual([
      [1, 250, 'storage-unreachable'],
      [2, 500, 'storage-unreachable'],
    ]);
  });

  it('stops waiting when the signal fires', async () => {
    const time = new ManualTime();
    const controller = new AbortController();
    const { inner, backend } = await bed([{ method: 'load', effect: 'fails' }], {
      sleep: (durationMs, options) => time.sleep(durationMs, options),
      onRetry: () => controller.abort(),
    });
    const loading = backend.load(file, { signal: controller.signal });
    await expect(loading).rejects.toMatchObject({ code: 'interrupted' });
    expect(inner.calls).toBe(1);
  });

  it('reads a file that is not what its name says once more, and leaves the rest to the caller', async () => {
    const spoilt = await bed([{ method: 'load', calls: [1], effect: 'flipped' }]);
    expect(await spoilt.backend.load(file)).toEqual(bytes);
    const cut = await bed([{ method: 'load', calls: [1], effect: 'truncated' }]);
    expect(await cut.backend.load(file)).toEqual(bytes);
    const damaged = await bed([{ method: 'load', effect: 'flipped' }]);
    expect(await damaged.backend.load(file)).not.toEqual(bytes);
    expect(damaged.inner.calls).toBe(2);
  });

  it('goes on with a listing behind the last file that it told of', async () => {
    const { inner, backend } = await bed([
      { method: 'list', calls: [1, 2, 4], effect: 'fails-after' },
      { method: 'list', calls: [3], effect: 'fails' },
    ]);
    const ids = [id];
    for (let n = 0; n < 20; n += 1) {
      const other = Buffer.from(String(n));
      await backend.save({ kind: 'data', id: sha256(other) }, [other]);
      ids.push(sha256(other));
    }
    expect((await Array.fromAsync(backend.list('data'))).map((listed) => listed.id)).toEqual(ids.sort());
    expect(inner.script.unused).toEqual([]);
  });

  it('saves once more what was saved although the answer was lost', async () => {
    const { inner, backend } = await bed([{ method: 'save', calls: [1], effect: 'fails-after' }]);
    await backend.save(file, [bytes]);
    expect(inner.calls).toBe(2);
    expect(await backend.load(file)).toEqual(bytes);
  });
});
