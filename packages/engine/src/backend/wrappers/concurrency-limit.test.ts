import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../crypto/hash.ts';
import { MemoryBackend } from '../../testing/memory-backend.ts';
import type { FileName, ListedFileKind } from '../backend.ts';
import { withConcurrencyLimit } from './concurrency-limit.ts';
import { ForwardingBackend } from './forwarding-backend.ts';

/** Counts the calls that are under way, each of which goes on when it is let. */
class GatedBackend extends ForwardingBackend {
  readonly #waiting: (() => void)[] = [];
  underWay = 0;
  most = 0;

  override async stat(file: FileName): Promise<{ readonly sizeBytes: number } | undefined> {
    this.underWay += 1;
    this.most = Math.max(this.most, this.underWay);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.underWay -= 1;
    return await this.inner.stat(file);
  }

  async letOne(): Promise<void> {
    this.#waiting.shift()?.();
    await turn();
  }
}

const fileOf = (n: number, kind: ListedFileKind = 'data'): FileName => ({
  kind,
  id: sha256(Buffer.of(n)),
});

describe('withConcurrencyLimit', () => {
  it('lets so many calls at once, the first first, and goes on after failures', async () => {
    const inner = new GatedBackend(new MemoryBackend());
    const backend = withConcurrencyLimit(inner, 3);
    const done: number[] = [];
    const calls = Array.from({ length: 10 }, async (_, n) => {
      await backend.stat(fileOf(n));
      done.push(n);
    });
    for (let n = 0; n < 10; n += 1) {
      await turn();
      expect(inner.underWay).toBe(Math.min(3, 10 - n));
      await inner.letOne();
    }
    await Promise.all(calls);
    expect(inner.most).toBe(3);
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('does not let locks wait', async () => {
    const inner = new GatedBackend(new MemoryBackend());
    const backend = withConcurrencyLimit(inner, 1);
    const calls = [backend.stat(fileOf(1)), backend.stat(fileOf(2)), backend.stat(fileOf(3, 'lock'))];
    await turn();
    expect(inner.underWay).toBe(2);
    for (let n = 0; n < 3; n += 1) await inner.letOne();
    await Promise.all(calls);
  });

  it('lets go who waits when the signal fires, and gives the turn to the next', async () => {
    const inner = new GatedBackend(new MemoryBackend());
    const backend = withConcurrencyLimit(inner, 1);
    const controller = new AbortController();
    const first = backend.stat(fileOf(1));
    const second = backend.stat(fileOf(2), { signal: controller.signal });
    const third = backend.stat(fileOf(3));
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'interrupted' });
    await inner.letOne();
    expect(inner.underWay).toBe(1);
    await inner.letOne();
    await Promise.all([first, third]);
  });

  it('lets other calls go on within a listing', async () => {
    const memory = new MemoryBackend();
    const backend = withConcurrencyLimit(memory, 1);
    for (let n = 0; n < 5; n += 1) await backend.save(fileOf(n), [Buffer.of(n)]);
    for await (const { id } of backend.list('data')) await backend.remove({ kind: 'data', id });
    expect(await Array.fromAsync(backend.list('data'))).toEqual([]);
  });
});
