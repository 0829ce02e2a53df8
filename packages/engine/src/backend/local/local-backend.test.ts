import { chmod, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeBackendContract } from '../../testing/backend-contract.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { LocalBackend } from './local-backend.ts';

const id = 'ab'.repeat(32);

describeBackendContract('LocalBackend', async () => {
  const directory = await temporaryDirectory();
  return {
    backend: new LocalBackend(join(directory.path, 'repository')),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
});

describe('LocalBackend', () => {
  it('has the modes of stock restic: folders 0700, files 0400', async () => {
    await using directory = await temporaryDirectory();
    const root = join(directory.path, 'repository');
    const backend = new LocalBackend(root);
    await backend.create();
    await backend.save({ kind: 'data', id }, [Buffer.of(1)]);
    expect(await modeOf(root)).toBe(0o700);
    expect(await modeOf(join(root, 'data', 'ab'))).toBe(0o700);
    expect(await modeOf(join(root, 'data', 'ab', id))).toBe(0o400);
    expect((await readdir(join(root, 'data'))).length).toBe(256);
  });

  it('shares with the group a repository whose config the group may read, as stock restic does', async () => {
    await using directory = await temporaryDirectory();
    const backend = new LocalBackend(directory.path);
    await backend.create();
    await writeFile(join(directory.path, 'config'), 'config', { mode: 0o440 });
    await chmod(join(directory.path, 'config'), 0o440);
    await backend.save({ kind: 'index', id }, [Buffer.of(1)]);
    expect(await modeOf(join(directory.path, 'index', id))).toBe(0o440);
  });

  it('makes a pack folder that a copy without empty folders lacks', async () => {
    await using directory = await temporaryDirectory();
    const backend = new LocalBackend(directory.path);
    await backend.create();
    await rm(join(directory.path, 'data', 'ab'), { recursive: true });
    await rm(join(directory.path, 'locks'), { recursive: true });
    await backend.save({ kind: 'config' }, [Buffer.of(1)]);
    await backend.save({ kind: 'data', id }, [Buffer.of(1)]);
    await backend.save({ kind: 'lock', id }, [Buffer.of(1)]);
    expect(await backend.load({ kind: 'data', id })).toEqual(Buffer.of(1));
    expect(await backend.load({ kind: 'lock', id })).toEqual(Buffer.of(1));
  });

  it('makes no folder where no repository is: its disk may be gone', async () => {
    await using directory = await temporaryDirectory();
    const saving = new LocalBackend(directory.path).save({ kind: 'lock', id }, [Buffer.of(1)]);
    await expect(saving).rejects.toMatchObject({ code: 'storage-unreachable' });
    expect(await readdir(directory.path)).toEqual([]);
  });

  it('does not take a directory without its folders for an empty repository', async () => {
    await using directory = await temporaryDirectory();
    const backend = new LocalBackend(directory.path);
    const listing = backend.list('snapshot')[Symbol.asyncIterator]().next();
    await expect(listing).rejects.toMatchObject({ code: 'storage-unreachable' });
  });

  it('neither lists nor loads what a cut save left, and removes it once it is old', async () => {
    await using directory = await temporaryDirectory();
    const backend = new LocalBackend(directory.path);
    await backend.create();
    const old = join(directory.path, 'data', 'ab', `${id}-tmp-1`);
    const fresh = join(directory.path, 'snapshots', `${id}-tmp-2`);
    const foreign = join(directory.path, 'snapshots', 'notes.txt');
    for (const path of [old, fresh, foreign]) await writeFile(path, 'half');
    await utimes(old, 1_000_000, 1_000_000);

    expect(await listed(backend, 'data')).toEqual([]);
    expect(await listed(backend, 'snapshot')).toEqual([]);
    expect(await backend.removeLeftovers(2_000_000_000)).toBe(1);
    expect(await readdir(join(directory.path, 'data', 'ab'))).toEqual([]);
    expect((await readdir(join(directory.path, 'snapshots'))).sort()).toEqual(
      [`${id}-tmp-2`, 'notes.txt'].sort(),
    );
  });

  it('leaves nothing behind when a save is interrupted in the middle', async () => {
    await using directory = await temporaryDirectory();
    const backend = new LocalBackend(directory.path);
    await backend.create();
    const controller = new AbortController();
    const parts = [Buffer.alloc(1024), Buffer.alloc(1024)];
    const saving = backend.save({ kind: 'index', id }, parts, { signal: controller.signal });
    controller.abort();
    await expect(saving).rejects.toMatchObject({ code: 'interrupted' });
    expect(await readdir(join(directory.path, 'index'))).toEqual([]);
  });

  it('says what is wrong with a place that is no directory', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'file');
    await writeFile(path, '');
    await expect(new LocalBackend(path).create()).rejects.toMatchObject({ code: 'storage-unreachable' });
    await expect(new LocalBackend(join(path, 'beneath')).create()).rejects.toMatchObject({
      code: 'storage-unreachable',
    });
  });

  it('gives up, and does not hang, where the system makes no directories', async () => {
    const creating = new LocalBackend('/proc/holdfast').create();
    await expect(creating).rejects.toMatchObject({ code: 'storage-unreachable' });
  });
});

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

async function listed(backend: LocalBackend, kind: 'data' | 'snapshot'): Promise<string[]> {
  const ids: string[] = [];
  for await (const file of backend.list(kind)) ids.push(file.id);
  return ids;
}
