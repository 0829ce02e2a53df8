import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PlainFiles } from '../backend/plain-files.ts';

export interface PlainFilesPlace extends AsyncDisposable {
  readonly files: PlainFiles;
  /** Puts a file there of any size, as somebody else would. */
  put(name: string, bytes: Uint8Array): Promise<void>;
}

const mebibyte = 1024 * 1024;
const impossibleNames = [
  '',
  '.',
  '..',
  'a/../b',
  '/a',
  'a/',
  'a//b',
  'a\0b',
  'a\nb',
  '\ud800',
  'x'.repeat(201),
];

/** What all plain files promise, see plain-files.ts. Each place is new, and not made yet. */
export function describePlainFilesContract(name: string, makePlace: () => Promise<PlainFilesPlace>): void {
  describe(`${name}, as all plain files`, () => {
    it('keep what was written, also within folders and nothing at all', async () => {
      await using place = await makePlace();
      const { files } = place;
      await files.create();
      await files.create();
      for (const [name, bytes] of [
        ['marker', randomBytes(1000)],
        ['folder/in a folder/märker', randomBytes(mebibyte)],
        ['folder/empty', Buffer.alloc(0)],
      ] as const) {
        expect(await files.write(name, bytes)).toBe(true);
        expect((await files.read(name))?.equals(bytes)).toBe(true);
        expect(await files.stat(name)).toMatchObject({ sizeBytes: bytes.length });
      }
      expect(await files.write('marker', Buffer.from('replaced'))).toBe(true);
      expect(await files.read('marker')).toEqual(Buffer.from('replaced'));
    });

    it('are not there before they are written, nor after they are removed', async () => {
      await using place = await makePlace();
      const { files } = place;
      await files.create();
      const expectNone = async (name: string): Promise<void> => {
        expect(await files.read(name)).toBeUndefined();
        expect(await files.stat(name)).toBeUndefined();
        expect(await files.remove(name)).toBe(false);
      };
      for (const name of ['marker', 'folder/marker']) {
        await expectNone(name);
        await files.write(name, Buffer.from('x'));
        expect(await files.remove(name)).toBe(true);
        await expectNone(name);
      }
      await files.write('folder/marker', Buffer.from('x'));
      await expectNone('folder');
      await files.write('marker', Buffer.from('x'));
      await expectNone('marker/within');
    });

    it('tell when they were written', async () => {
      await using place = await makePlace();
      await place.files.create();
      await place.files.write('marker', Buffer.from('x'));
      const { modifiedAtMs = 0 } = (await place.files.stat('marker')) ?? {};
      // A server's clock, which it tells by the second.
      expect(Math.abs(modifiedAtMs - Date.now())).toBeLessThan(60_000);
      expect(Number.isInteger(modifiedAtMs)).toBe(true);
    });

    it('are written by the first alone, where that is asked for', async () => {
      await using place = await makePlace();
      const { files } = place;
      await files.create();
      expect(await files.write('marker', Buffer.from('first'), { ifNew: true })).toBe(true);
      expect(await files.write('marker', Buffer.from('first'), { ifNew: true })).toBe(false);
      expect(await files.write('marker', Buffer.from('second'), { ifNew: true })).toBe(false);
      expect(await files.read('marker')).toEqual(Buffer.from('first'));

      const writers = Array.from({ length: 8 }, (_, n) =>
        files.write('sub/race', Buffer.from(String(n)), { ifNew: true }),
      );
      const won = await Promise.all(writers);
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await files.read('sub/race')).toEqual(Buffer.from(String(won.indexOf(true))));
    });

    it('are refused where they are too large', async () => {
      await using place = await makePlace();
      const { files } = place;
      await files.create();
      const tooLarge = { code: 'storage-file-too-large', hint: expect.any(String) };
      const bytes = Buffer.alloc(mebibyte + 1);
      await expect(files.write('marker', bytes)).rejects.toMatchObject(tooLarge);
      expect(await files.stat('marker')).toBeUndefined();
      await place.put('marker', bytes);
      await expect(files.read('marker')).rejects.toMatchObject(tooLarge);
      expect(await files.stat('marker')).toMatchObject({ sizeBytes: bytes.length });
      // The connection is free for what follows.
      for (let n = 0; n < 40; n += 1) await expect(files.read('marker')).rejects.toMatchObject(tooLarge);
      expect(await files.remove('marker')).toBe(true);
    });

    it('have no names that lead elsewhere', async () => {
      await using place = await makePlace();
      const { files } = place;
      await files.create();
      for (const name of impossibleNames) {
        const invalid = { code: 'usage-invalid' };
        await expect(files.read(name)).rejects.toMatchObject(invalid);
        await expect(files.write(name, Buffer.of())).rejects.toMatchObject(invalid);
        await expect(files.remove(name)).rejects.toMatchObject(invalid);
        await expect(files.stat(name)).rejects.toMatchObject(invalid);
        await expect(files.usage(name)).rejects.toMatchObject(invalid);
      }
    });

    it('lists the folders right there', async () => {
      await using place = await makePlace();
      const { files } = place;
      await files.create();
      expect(await files.listFolders()).toEqual([]);
      const folders = ['a', 'app-1', 'app-10', 'app-2', 'b c', 'ä'];
      for (const folder of folders) await files.write(`${folder}/deeper/file`, Buffer.from('x'));
      await files.write('no-folder', Buffer.from('x'));
      expect(await files.listFolders()).toEqual(folders);
    });

    it('counts what is below a folder', async () => {
      await using place = await makePlace();
      const { files } = place;
      await files.create();
      expect(await files.usage('app')).toEqual({ files: 0, bytes: 0 });
      for (let n = 0; n < 70; n += 1) await files.write(`app/data/${n % 7}/${n}`, Buffer.alloc(n));
      await files.write('app/config', Buffer.alloc(1000));
      await files.write('app-2/config', Buffer.alloc(5));
      expect(await files.usage('app')).toEqual({ files: 71, bytes: 1000 + (69 * 70) / 2 });
      expect(await files.usage('app/data')).toEqual({ files: 70, bytes: (69 * 70) / 2 });
      expect(await files.usage('app/config')).toEqual({ files: 0, bytes: 0 });
    });

    it('end as soon as they are told to', async () => {
      await using place = await makePlace();
      const { files } = place;
      await files.create();
      const aborted = { signal: AbortSignal.abort() };
      const interrupted = { code: 'interrupted' };
      await expect(files.create(aborted)).rejects.toMatchObject(interrupted);
      await expect(files.read('marker', aborted)).rejects.toMatchObject(interrupted);
      await expect(files.write('marker', Buffer.of(), aborted)).rejects.toMatchObject(interrupted);
      await expect(files.write('marker', Buffer.of(), { ifNew: true, ...aborted })).rejects.toMatchObject(
        interrupted,
      );
      await expect(files.remove('marker', aborted)).rejects.toMatchObject(interrupted);
      await expect(files.stat('marker', aborted)).rejects.toMatchObject(interrupted);
      await expect(files.listFolders(aborted)).rejects.toMatchObject(interrupted);
      await expect(files.usage('folder', aborted)).rejects.toMatchObject(interrupted);
      expect(await files.stat('marker')).toBeUndefined();
    });
  });
}
