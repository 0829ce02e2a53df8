import { describe, expect, it } from 'vitest';
import { sha256 } from '../../crypto/hash.ts';
import { ManualTime } from '../../testing/manual-runtime.ts';
import { MemoryBackend } from '../../testing/memory-backend.ts';
import type { Backend, FileName } from '../backend.ts';
import { type BandwidthOptions, withBandwidthLimit } from './bandwidth-limit.ts';

const bytes = Buffer.alloc(10_000, 1);
const file: FileName = { kind: 'data', id: sha256(bytes) };

interface Bed {
  readonly backend: Backend;
  readonly time: ManualTime;
}

/** Time passes only while somebody waits for it. */
function bed(options: BandwidthOptions): Bed {
  const time = new ManualTime();
  const sleep = async (durationMs: number): Promise<void> => time.advance(durationMs);
  return { time, backend: withBandwidthLimit(new MemoryBackend(), { ...options, clock: time, sleep }) };
}

describe('withBandwidthLimit', () => {
  it('takes the time that the bytes need, each way by itself', async () => {
    const { backend, time } = bed({ uploadBytesPerSecond: 1_000, downloadBytesPerSecond: 10_000 });
    await backend.save(file, [bytes]);
    expect(time.elapsed()).toBeCloseTo(9_900, -3);
    const savedMs = time.elapsed();
    await backend.load(file);
    expect(time.elapsed() - savedMs).toBeCloseTo(1_000, -3);
    const loadedMs = time.elapsed();
    await backend.loadRange(file, { offset: 0, length: 5_000 });
    expect(time.elapsed() - loadedMs).toBeCloseTo(500, -2);
  });

  it('keeps to the rate over many calls, and saves up no more than a moment', async () => {
    const { backend, time } = bed({ uploadBytesPerSecond: 10_000 });
    for (let n = 0; n < 100; n += 1) await backend.save(file, [bytes]);
    expect(time.elapsed()).toBeGreaterThan(99_000);
    expect(time.elapsed()).toBeLessThanOrEqual(100_000);
    time.advance(3_600_000);
    const startMs = time.elapsed();
    await backend.save(file, [bytes]);
    expect(time.elapsed() - startMs).toBeGreaterThanOrEqual(899);
  });

  it('does not touch the way that has no limit', async () => {
    const { backend, time } = bed({ uploadBytesPerSecond: 10_000 });
    await backend.save(file, [bytes]);
    const savedMs = time.elapsed();
    for (let n = 0; n < 10; n += 1) await backend.load(file);
    expect(time.elapsed()).toBe(savedMs);
  });

  it('stops waiting when the signal fires', async () => {
    const time = new ManualTime();
    const backend = withBandwidthLimit(new MemoryBackend(), {
      uploadBytesPerSecond: 1,
      clock: time,
      sleep: (durationMs, options) => time.sleep(durationMs, options),
    });
    const controller = new AbortController();
    const saving = backend.save(file, [bytes], { signal: controller.signal });
    controller.abort();
    await expect(saving).rejects.toMatchObject({ code: 'interrupted' });
    expect(await backend.stat(file)).toBeUndefined();
  });
});
