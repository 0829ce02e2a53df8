import { execFileSync } from 'node:child_process';
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describePlainFilesContract } from '../../testing/plain-files-contract.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { LocalPlainFiles } from './local-plain-files.ts';

describePlainFilesContract('LocalPlainFiles', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'not', 'there');
  return {
    files: new LocalPlainFiles(path),
    put: async (name, bytes) => {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), bytes);
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
});

describe('LocalPlainFiles', () => {
  it('makes nothing where the directory is gone, and says so', async () => {
    await using directory = await temporaryDirectory();
    const files = new LocalPlainFiles(join(directory.path, 'gone'));
    const gone = { code: 'storage-unreachable', hint: expect.any(String) };
    await expect(files.read('marker')).rejects.toMatchObject(gone);
    await expect(files.stat('marker')).rejects.toMatchObject(gone);
    await expect(files.remove('marker')).rejects.toMatchObject(gone);
    await expect(files.write('marker', Buffer.of())).rejects.toMatchObject(gone);
    await expect(files.write('folder/marker', Buffer.of(), { ifNew: true })).rejects.toMatchObject(gone);
    await expect(files.listFolders()).rejects.toMatchObject(gone);
    await expect(files.usage('folder')).rejects.toMatchObject(gone);
    expect(await readdir(directory.path)).toEqual([]);
  });

  it('leaves nothing but the file, for its owner alone', async () => {
    await using directory = await temporaryDirectory();
    const files = new LocalPlainFiles(directory.path);
    await files.write('folder/marker', Buffer.from('x'));
    expect(await files.write('folder/marker', Buffer.from('y'), { ifNew: true })).toBe(false);
    expect(await readdir(join(directory.path, 'folder'))).toEqual(['marker']);
    expect((await stat(join(directory.path, 'folder'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory.path, 'folder', 'marker'))).mode & 0o777).toBe(0o600);
  });

  it('takes linked folders for folders, and counts nothing behind links', async () => {
    await using directory = await temporaryDirectory();
    const files = new LocalPlainFiles(directory.path);
    await files.write('real/file', Buffer.alloc(10));
    await symlink('real', join(directory.path, 'linked'));
    await symlink('nowhere', join(directory.path, 'dangling'));
    await symlink('../real', join(directory.path, 'real', 'loop'));
    await symlink('real/file', join(directory.path, 'file'));
    expect(await files.listFolders()).toEqual(['linked', 'real']);
    expect(await files.usage('real')).toEqual({ files: 1, bytes: 10 });
    expect(await files.usage('linked')).toEqual({ files: 1, bytes: 10 });
  });

  it('waits for nobody where a pipe has the name', async () => {
    await using directory = await temporaryDirectory();
    execFileSync('mkfifo', [join(directory.path, 'marker')]);
    const files = new LocalPlainFiles(directory.path);
    expect(await files.read('marker')).toBeUndefined();
    expect(await files.stat('marker')).toBeUndefined();
    expect(await files.write('marker', Buffer.of(), { ifNew: true })).toBe(false);
  });
});
