import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../crypto/hash.ts';
import { FaultBackend } from '../../testing/fault-backend.ts';
import type { ScriptedFault } from '../../testing/fault-script.ts';
import { MemoryBackend } from '../../testing/memory-backend.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import type { Backend, FileName, ListedFileKind } from '../backend.ts';
import { withMetadataCache } from './metadata-cache.ts';

type ListedFile = Extract<FileName, { readonly id: string }>;

interface Bed extends AsyncDisposable {
  readonly memory: MemoryBackend;
  readonly inner: FaultBackend;
  readonly path: string;
  /** The cache as another process opens it. */
  open(): Backend;
}

async function bed(faults: readonly ScriptedFault[] = []): Promise<Bed> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'cache', 'repository');
  const memory = new MemoryBackend();
  const inner = new FaultBackend(memory, faults);
  return {
    memory,
    inner,
    path,
    open: () => withMetadataCache(inner, { directory: path }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

async function put(backend: Backend, kind: ListedFileKind): Promise<{ file: ListedFile; bytes: Buffer }> {
  const bytes = randomBytes(5_000);
  const file: ListedFile = { kind, id: sha256(bytes) };
  await backend.save(file, [bytes.subarray(0, 10), bytes.subarray(10)]);
  return { file, bytes };
}

const metadata = { isMetadata: true };
const range = { offset: 100, length: 50 };

describe('withMetadataCache', () => {
  it.each(['index', 'snapshot'] as const)(
    'reads a file of kind %s once, also by another process',
    async (kind) => {
      await using cached = await bed();
      const { file, bytes } = await put(cached.memory, kind);
      expect(await cached.open().load(file)).toEqual(bytes);
      const calls = cached.inner.calls;
      expect(await cached.open().load(file)).toEqual(bytes);
      expect(cached.inner.calls).toBe(calls);
      expect(await readdir(cached.path)).toContain('CACHEDIR.TAG');
    },
  );

  it('reads what this machine wrote not at all', async () => {
    await using cached = await bed();
    const { file, bytes } = await put(cached.open(), 'index');
    cached.inner.down.add('index');
    expect(await cached.open().load(file)).toEqual(bytes);
    expect(cached.inner.faults).toBe(0);
  });

  it('fetches a pack of metadata whole, once for all who ask, and gives ranges of it', async () => {
    await using cached = await bed();
    const { file, bytes } = await put(cached.memory, 'data');
    const backend = cached.open();
    const ranges = await Promise.all(
      Array.from({ length: 20 }, () => backend.loadRange(file, range, metadata)),
    );
    for (const found of ranges) expect(found).toEqual(bytes.subarray(100, 150));
    expect(cached.inner.calls).toBe(1);
    const beyond = { offset: 4_990, length: 100 };
    expect(await backend.loadRange(file, beyond, metadata)).toEqual(bytes.subarray(4_990));
    expect(await cached.open().loadRange(file, range, metadata)).toEqual(bytes.subarray(100, 150));
    expect(cached.inner.calls).toBe(1);
  });

  it('keeps no contents, no keys and no locks', async () => {
    await using cached = await bed();
    const backend = cached.open();
    for (const kind of ['data', 'key', 'lock'] as const) {
      const { file, bytes } = await put(backend, kind);
      expect(await backend.load(file)).toEqual(bytes);
      expect(await backend.loadRange(file, range)).toEqual(bytes.subarray(100, 150));
    }
    expect(cached.inner.calls).toBe(9);
    await expect(readdir(cached.path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['cut short', (path) => truncate(path, 50)],
    ['made longer', (path) => writeFile(path, 'more', { flag: 'a' })],
    ['altered', async (path) => await writeFile(path, (await readFile(path)).fill(7, 120, 121))],
    ['removed', (path) => rm(path)],
    [
      'replaced by a directory',
      (path) =>
        rm(path)
          .then(() => mkdir(path))
          .then(() => {}),
    ],
  ])('does not rely on a file that was %s', async (_what, spoil) => {
    await using cached = await bed();
    for (const [kind, folder] of [
      ['index', 'index'],
      ['data', 'data'],
    ] as const) {
      const { file, bytes } = await put(cached.memory, kind);
      const first = cached.open();
      await first.load(file, metadata);
      await spoil(join(cached.path, folder, file.id));
      expect(await cached.open().load(file, metadata)).toEqual(bytes);
      expect(await cached.open().loadRange(file, range, metadata)).toEqual(bytes.subarray(100, 150));
    }
  });

  it('notices a pack that is cut short while it is in use', async () => {
    await using cached = await bed();
    const { file, bytes } = await put(cached.memory, 'data');
    const backend = cached.open();
    await backend.loadRange(file, range, metadata);
    await truncate(join(cached.path, 'data', file.id), 120);
    expect(await backend.loadRange(file, range, metadata)).toEqual(bytes.subarray(100, 150));
    await rm(cached.path, { recursive: true });
    expect(await backend.loadRange(file, range, metadata)).toEqual(bytes.subarray(100, 150));
  });

  it('does not keep what came damaged', async () => {
    await using cached = await bed([{ method: 'load', calls: [1, 2], effect: 'flipped' }]);
    const { file, bytes } = await put(cached.memory, 'index');
    expect(await cached.open().load(file)).not.toEqual(bytes);
    expect(await cached.open().loadRange(file, range, metadata)).toEqual(bytes.subarray(100, 150));
    expect(await cached.open().load(file)).toEqual(bytes);
    expect(cached.inner.script.unused).toEqual([]);
  });

  it('removes what the repository no longer lists, and only after a whole listing', async () => {
    await using cached = await bed();
    const backend = cached.open();
    const [kept, gone] = [await put(backend, 'snapshot'), await put(backend, 'snapshot')];
    await cached.memory.remove(gone.file);
    for await (const _ of backend.list('snapshot')) break;
    expect(await readdir(join(cached.path, 'snapshots'))).toHaveLength(2);
    expect(await Array.fromAsync(backend.list('snapshot'))).toHaveLength(1);
    expect(await readdir(join(cached.path, 'snapshots'))).toEqual([kept.file.id]);
    await backend.remove(kept.file);
    expect(await readdir(join(cached.path, 'snapshots'))).toEqual([]);
  });

  it('removes what nobody read for a month, and what a dead process left', async () => {
    await using cached = await bed();
    const old = await put(cached.open(), 'index');
    const leftover = join(cached.path, 'index', `${old.file.id}-tmp-1`);
    await writeFile(leftover, 'half');
    for (const path of [leftover, join(cached.path, 'index', old.file.id)]) {
      await utimes(path, 1_000_000, 1_000_000);
    }
    const fresh = await put(cached.open(), 'index');
    expect(await readdir(join(cached.path, 'index'))).toEqual([fresh.file.id]);
  });

  it('never fails because of its disk', async () => {
    await using cached = await bed();
    await mkdir(join(cached.path, '..'), { recursive: true });
    await writeFile(cached.path, 'a file where the directory should be');
    const backend = cached.open();
    const index = await put(backend, 'index');
    const pack = await put(backend, 'data');
    expect(await backend.load(index.file)).toEqual(index.bytes);
    for (let n = 0; n < 3; n += 1) {
      expect(await backend.loadRange(pack.file, range, metadata)).toEqual(pack.bytes.subarray(100, 150));
    }
    expect(await Array.fromAsync(backend.list('index'))).toHaveLength(1);
    expect(await backend.remove(index.file)).toBe(true);
    await chmod(cached.path, 0o600);
  });

  it('passes on failures of the repository, and interrupts only who asked for it', async () => {
    await using cached = await bed();
    const { file, bytes } = await put(cached.memory, 'data');
    cached.inner.down.add('data');
    const backend = cached.open();
    const unreachable = { code: 'storage-unreachable' };
    await expect(backend.loadRange(file, range, metadata)).rejects.toMatchObject(unreachable);
    cached.inner.down.clear();
    const controller = new AbortController();
    const stopped = backend.loadRange(file, range, { ...metadata, signal: controller.signal });
    const other = backend.loadRange(file, range, metadata);
    controller.abort();
    expect(await other).toEqual(bytes.subarray(100, 150));
    await stopped.catch((error: unknown) => expect(error).toMatchObject({ code: 'interrupted' }));
    const nothing: FileName = { kind: 'index', id: sha256(Buffer.of(1)) };
    expect(await backend.load(nothing)).toBeUndefined();
    expect(await backend.loadRange(nothing, range)).toBeUndefined();
  });
});
