import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../crypto/hash.ts';
import type { TreeId } from '../format/ids.ts';
import { encodeLockFile } from '../format/lock-file.ts';
import { utcTimestamp } from '../format/timestamp.ts';
import { FaultBackend } from '../testing/fault-backend.ts';
import { ManualTime, manualRuntime } from '../testing/manual-runtime.ts';
import { snapshotOf, type TestRepository, testPassword, testRepository } from '../testing/test-repository.ts';
import type { LockOptions } from './acquire-lock.ts';
import type { LockKind } from './lock-conflict.ts';
import { openRepository } from './open-repository.ts';
import type { Repository } from './repository.ts';
import type { RepositoryLock } from './repository-lock.ts';
import type { Identity } from './runtime.ts';

const minuteMs = 60_000;
const locked = { code: 'repository-locked' };
const lost = { code: 'repository-lock-lost' };

/** One repository that several processes have open, in a time that stands still. */
class Scene implements AsyncDisposable {
  readonly time = new ManualTime();
  readonly alivePids = new Set([1000, 2000]);
  readonly #place: TestRepository;
  readonly backend: FaultBackend;

  constructor(place: TestRepository) {
    this.#place = place;
    this.backend = new FaultBackend(place.backend);
  }

  static async open(): Promise<Scene> {
    return new Scene(await testRepository());
  }

  async process(identity: Partial<Identity> = {}): Promise<Repository> {
    const runtime = manualRuntime({ time: this.time, identity, alivePids: this.alivePids });
    return await openRepository({ backend: this.backend, password: testPassword, runtime });
  }

  /** Locks while time passes. */
  async lock(repository: Repository, kind: LockKind, options: LockOptions = {}): Promise<RepositoryLock> {
    const locking = repository.lock(kind, options);
    let isSettled = false;
    locking.then(
      () => (isSettled = true),
      () => (isSettled = true),
    );
    while (!isSettled) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      this.time.advance(100);
    }
    return await locking;
  }

  async lockIds(): Promise<string[]> {
    const ids: string[] = [];
    for await (const { id } of this.#place.backend.list('lock')) ids.push(id);
    return ids;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place[Symbol.asyncDispose]();
  }
}

describe('locks', () => {
  it('may be shared by many', async () => {
    await using scene = await Scene.open();
    const [one, other] = [await scene.process(), await scene.process({ pid: 2000 })];
    await using _one = await scene.lock(one, 'shared');
    await using _other = await scene.lock(other, 'shared');
    expect(await scene.lockIds()).toHaveLength(2);
  });

  it.each([
    ['shared', 'exclusive'],
    ['exclusive', 'shared'],
    ['exclusive', 'exclusive'],
  ] as const)('%s keeps out %s, and says who holds it', async (held, wanted) => {
    await using scene = await Scene.open();
    await using lock = await scene.lock(await scene.process({ hostname: 'forge' }), held);
    const other = await scene.process({ pid: 2000 });
    await expect(scene.lock(other, wanted)).rejects.toMatchObject({
      ...locked,
      message: expect.stringContaining('process 1000 of smith on forge'),
      context: { hostname: 'forge', pid: 1000 },
    });
    expect(await scene.lockIds()).toHaveLength(1);
    lock.assertHeld();
  });

  it('are gone once they are released, also by the end of their scope', async () => {
    await using scene = await Scene.open();
    const repository = await scene.process();
    const lock = await scene.lock(repository, 'exclusive');
    await lock.release();
    expect(await scene.lockIds()).toEqual([]);
    expect(() => lock.assertHeld()).toThrow(expect.objectContaining(lost));
    {
      await using _scoped = await scene.lock(repository, 'exclusive');
      expect(await scene.lockIds()).toHaveLength(1);
    }
    expect(await scene.lockIds()).toEqual([]);
  });

  it('are waited for', async () => {
    await using scene = await Scene.open();
    const lock = await scene.lock(await scene.process(), 'exclusive');
    const other = await scene.process({ pid: 2000 });
    let waits = 0;
    const waiting = scene.lock(other, 'exclusive', {
      waitMs: 60_000,
      onWait: () => {
        waits += 1;
        void lock.release();
      },
    });
    await using second = await waiting;
    second.assertHeld();
    expect(waits).toBe(1);
  });

  it('are waited for no longer than asked', async () => {
    await using scene = await Scene.open();
    await using _lock = await scene.lock(await scene.process(), 'exclusive');
    const startMs = scene.time.elapsed();
    const waiting = scene.lock(await scene.process({ pid: 2000 }), 'shared', { waitMs: 10_000 });
    await expect(waiting).rejects.toMatchObject(locked);
    expect(scene.time.elapsed() - startMs).toBeGreaterThanOrEqual(10_000);
    expect(scene.time.elapsed() - startMs).toBeLessThan(12_000);
  });

  it('of two that lock exclusively at once, at most one', async () => {
    await using scene = await Scene.open();
    const processes = [await scene.process(), await scene.process({ pid: 2000 })];
    const outcomes = await Promise.allSettled(processes.map((process) => scene.lock(process, 'exclusive')));
    const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(held.length).toBeLessThanOrEqual(1);
    expect(await scene.lockIds()).toHaveLength(held.length);
    for (const lock of held) await lock.release();
  });

  it('end with an interrupted wait', async () => {
    await using scene = await Scene.open();
    await using _lock = await scene.lock(await scene.process(), 'exclusive');
    const controller = new AbortController();
    const other = await scene.process({ pid: 2000 });
    const waiting = scene.lock(other, 'exclusive', {
      waitMs: 60_000,
      signal: controller.signal,
      onWait: () => controller.abort(),
    });
    await expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
    expect(await scene.lockIds()).toHaveLength(1);
  });
});

describe('stale locks', () => {
  async function leaveLock(
    scene: Scene,
    fields: { hostname: string; pid: number; ageMs: number },
  ): Promise<void> {
    const { files } = (await scene.process()).storage;
    const { hostname, pid, ageMs } = fields;
    const identity = { hostname, pid, username: 'smith', uid: 0, gid: 0 };
    await files.save(
      'lock',
      encodeLockFile({ time: utcTimestamp(scene.time.now() - ageMs), exclusive: true, ...identity }),
    );
  }

  it('older than 30 minutes are removed', async () => {
    await using scene = await Scene.open();
    await leaveLock(scene, { hostname: 'forge', pid: 1, ageMs: 30 * minuteMs + 1 });
    await using _lock = await scene.lock(await scene.process(), 'exclusive');
    expect(await scene.lockIds()).toHaveLength(1);
  });

  it('of another host count for 30 minutes, whatever runs here', async () => {
    await using scene = await Scene.open();
    await leaveLock(scene, { hostname: 'forge', pid: 4711, ageMs: 29 * minuteMs });
    await expect(scene.lock(await scene.process(), 'shared')).rejects.toMatchObject(locked);
  });

  it('of a process of this host that ended are removed', async () => {
    await using scene = await Scene.open();
    await leaveLock(scene, { hostname: 'anvil', pid: 4711, ageMs: 0 });
    await using _lock = await scene.lock(await scene.process(), 'exclusive');
    expect(await scene.lockIds()).toHaveLength(1);
  });

  it('of a process of this host that runs count', async () => {
    await using scene = await Scene.open();
    await leaveLock(scene, { hostname: 'anvil', pid: 2000, ageMs: 0 });
    await expect(scene.lock(await scene.process(), 'shared')).rejects.toMatchObject(locked);
  });

  it('are what unlock removes, and all locks if that is asked', async () => {
    await using scene = await Scene.open();
    await leaveLock(scene, { hostname: 'anvil', pid: 4711, ageMs: 0 });
    await leaveLock(scene, { hostname: 'forge', pid: 1, ageMs: 0 });
    const repository = await scene.process();
    expect(await repository.unlock()).toBe(1);
    expect(await scene.lockIds()).toHaveLength(1);
    expect(await repository.unlock({ all: true })).toBe(1);
    expect(await scene.lockIds()).toEqual([]);
  });

  it('that cannot be read keep everybody out; empty ones keep out nobody', async () => {
    await using scene = await Scene.open();
    const repository = await scene.process();
    await scene.backend.save({ kind: 'lock', id: sha256(Buffer.of()) }, []);
    await (await scene.lock(repository, 'exclusive')).release();
    const garbage = randomBytes(200);
    await scene.backend.save({ kind: 'lock', id: sha256(garbage) }, [garbage]);
    await expect(scene.lock(repository, 'shared')).rejects.toMatchObject({
      ...locked,
      hint: expect.stringContaining('unlock'),
    });
    await repository.unlock({ all: true });
    await using _lock = await scene.lock(repository, 'shared');
  });
});

describe('a held lock', () => {
  it('is refreshed every five minutes, so that it never gets stale', async () => {
    await using scene = await Scene.open();
    await using lock = await scene.lock(await scene.process({ hostname: 'forge' }), 'exclusive');
    const [first] = await scene.lockIds();
    await scene.time.pass(5 * minuteMs + 2_000);
    const [second, ...others] = await scene.lockIds();
    expect(second).not.toBe(first);
    expect(others).toEqual([]);
    await scene.time.pass(60 * minuteMs);
    lock.assertHeld();
    await expect(scene.lock(await scene.process({ pid: 2000 }), 'shared')).rejects.toMatchObject(locked);
  });

  it('survives a storage that does not answer for ten minutes', async () => {
    await using scene = await Scene.open();
    await using lock = await scene.lock(await scene.process(), 'shared');
    await scene.time.pass(4 * minuteMs);
    scene.backend.down.add('lock');
    await scene.time.pass(10 * minuteMs);
    expect(scene.backend.faults).toBeGreaterThan(5);
    scene.backend.down.clear();
    await scene.time.pass(minuteMs);
    await scene.time.pass(15 * minuteMs);
    lock.assertHeld();
    expect(await scene.lockIds()).toHaveLength(1);
  });

  it('is lost when it could not be refreshed for 20 minutes: whoever holds it writes nothing more', async () => {
    await using scene = await Scene.open();
    const repository = await scene.process();
    await using lock = await scene.lock(repository, 'shared');
    await using writer = await repository.openWriter({ lock });
    const { id: tree } = await writer.saveBlob('tree', Buffer.from('{"nodes":[]}\n'));
    scene.backend.down.add('lock');
    await scene.time.pass(21 * minuteMs, lock.signal);
    scene.backend.down.clear();

    expect(lock.signal.aborted).toBe(true);
    expect(() => lock.assertHeld()).toThrow(expect.objectContaining(lost));
    await expect(writer.flush()).rejects.toMatchObject(lost);
    await expect(repository.snapshots.remove(tree as never, { lock })).rejects.toMatchObject(lost);
    await expect(repository.keys.remove(tree as never, { lock })).rejects.toMatchObject(lost);
    await expect(repository.openWriter({ lock })).rejects.toMatchObject(lost);
  });

  it('is lost after the machine slept, before any timer told', async () => {
    await using scene = await Scene.open();
    await using lock = await scene.lock(await scene.process(), 'shared');
    scene.time.wallOffsetMs = 21 * minuteMs;
    expect(() => lock.assertHeld()).toThrow(expect.objectContaining(lost));
    expect(lock.signal.aborted).toBe(true);
  });

  it('is not kept alive by a wall clock that was set back', async () => {
    await using scene = await Scene.open();
    await using lock = await scene.lock(await scene.process(), 'shared');
    scene.backend.down.add('lock');
    scene.time.wallOffsetMs = -60 * minuteMs;
    await scene.time.pass(21 * minuteMs, lock.signal);
    expect(() => lock.assertHeld()).toThrow(expect.objectContaining(lost));
    scene.backend.down.clear();
  });

  it('is lost when somebody removed it', async () => {
    await using scene = await Scene.open();
    const repository = await scene.process();
    await using lock = await scene.lock(repository, 'shared');
    await repository.unlock({ all: true });
    await scene.time.pass(6 * minuteMs, lock.signal);
    expect(() => lock.assertHeld()).toThrow(expect.objectContaining(lost));
    expect(await scene.lockIds()).toEqual([]);
  });

  it('that somebody removed commits nothing, also before its next refresh', async () => {
    await using scene = await Scene.open();
    const repository = await scene.process();
    await using lock = await scene.lock(repository, 'shared');
    await using writer = await repository.openWriter({ lock });
    const { id: tree } = await writer.saveBlob('tree', Buffer.from('{"nodes":[]}\n'));
    await writer.flush();
    await repository.unlock({ all: true });
    lock.assertHeld();
    const saving = repository.snapshots.save(snapshotOf(tree as TreeId), { lock });
    await expect(saving).rejects.toMatchObject(lost);
    expect(lock.signal.aborted).toBe(true);
    await writer.saveBlob('tree', Buffer.from('{"nodes": []}\n')).catch(() => {});
    await expect(writer.flush()).rejects.toMatchObject(lost);
  });

  it('of another pid namespace is not taken for that of a dead process', async () => {
    await using scene = await Scene.open();
    const other = await scene.process({ lockHostname: 'anvil-pid-2', pid: 4711 });
    await using _lock = await scene.lock(other, 'shared');
    await expect(scene.lock(await scene.process(), 'exclusive')).rejects.toMatchObject({
      ...locked,
      context: { hostname: 'anvil-pid-2', pid: 4711 },
    });
  });
});
