import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../crypto/hash.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { LocalBackend } from './local-backend.ts';

const execute = promisify(execFile);
const nobody = 65_534;

interface SmallDisk extends AsyncDisposable {
  readonly backend: LocalBackend;
  readonly mountPoint: string;
}

/** A repository's folders on a disk of two mebibytes. */
async function smallDisk(): Promise<SmallDisk> {
  const directory = await temporaryDirectory();
  const mountPoint = join(directory.path, 'disk');
  await mkdir(mountPoint);
  await execute('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', mountPoint]);
  const backend = new LocalBackend(join(mountPoint, 'repository'));
  await backend.create();
  return {
    backend,
    mountPoint,
    [Symbol.asyncDispose]: async () => {
      await execute('umount', ['--lazy', mountPoint]);
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Needs root: it mounts small disks and becomes another user. */
describe('LocalBackend on a disk', () => {
  it('that is full keeps what was there, and leaves nothing of what did not fit', async () => {
    await using disk = await smallDisk();
    const { backend, mountPoint } = disk;
    const small = Buffer.alloc(500_000, 1);
    await backend.save({ kind: 'index', id: sha256(small) }, [small]);
    const large = Buffer.alloc(3_000_000, 2);
    const saving = backend.save({ kind: 'index', id: sha256(large) }, [large]);
    await expect(saving).rejects.toMatchObject({ code: 'storage-full', hint: expect.any(String) });
    expect(await readdir(join(mountPoint, 'repository', 'index'))).toEqual([sha256(small)]);
    expect(await backend.load({ kind: 'index', id: sha256(small) })).toEqual(small);
    const other = Buffer.alloc(500_000, 3);
    await backend.save({ kind: 'index', id: sha256(other) }, [other]);
  });

  it('that is read-only can be read and not written', async () => {
    await using disk = await smallDisk();
    const { backend, mountPoint } = disk;
    const id = sha256(Buffer.of(1));
    await backend.save({ kind: 'index', id }, [Buffer.of(1)]);
    await execute('mount', ['-o', 'remount,ro', mountPoint]);
    const notWritable = { code: 'storage-not-writable', hint: expect.any(String) };
    await expect(backend.save({ kind: 'lock', id }, [Buffer.of(1)])).rejects.toMatchObject(notWritable);
    await expect(backend.remove({ kind: 'index', id })).rejects.toMatchObject(notWritable);
    await expect(new LocalBackend(join(mountPoint, 'new')).create()).rejects.toMatchObject(notWritable);
    expect(await backend.load({ kind: 'index', id })).toEqual(Buffer.of(1));
  });

  it('that belongs to another user says so', async () => {
    await using disk = await smallDisk();
    const { backend, mountPoint } = disk;
    const id = sha256(Buffer.of(1));
    await backend.save({ kind: 'index', id }, [Buffer.of(1)]);
    for (let path = mountPoint; path !== tmpdir() && path !== '/'; path = join(path, '..'))
      await chmod(path, 0o755);
    await asUser(nobody, async () => {
      const reading = backend.load({ kind: 'index', id });
      await expect(reading).rejects.toMatchObject({ code: 'storage-unreachable' });
      const saving = backend.save({ kind: 'index', id }, [Buffer.of(1)]);
      await expect(saving).rejects.toMatchObject({ code: 'storage-not-writable' });
      const creating = new LocalBackend(join(mountPoint, 'new')).create();
      await expect(creating).rejects.toMatchObject({ code: 'storage-not-writable' });
    });
  });
});

async function asUser(uid: number, work: () => Promise<void>): Promise<void> {
  process.seteuid?.(uid);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}
