import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createIds } from '../../catalog/ids.ts';
import { createManualClock } from '../../testing/manual-clock.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { createUploadService } from './service.ts';

async function place() {
  const directory = await temporaryDirectory();
  const folder = join(directory.path, 'uploads');
  const clock = createManualClock(Date.now());
  const uploads = createUploadService({ folder, limitBytes: 10, clock, ids: createIds() });
  return {
    folder,
    clock,
    uploads,
    [Symbol.asyncDispose]: async () => await directory[Symbol.asyncDispose](),
  };
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

it('keeps a file for who runs the server alone, until it is removed', async () => {
  await using here = await place();
  const { uploads, folder } = here;
  const { id, bytes } = await uploads.take(pieces('hello', ' you'), {});
  expect(bytes).toBe(9);
  const path = await uploads.use(id);
  expect(readFileSync(path, 'utf8')).toBe('hello you');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  await uploads.remove(id);
  await uploads.remove(id);
  await expect(uploads.use(id)).rejects.toMatchObject({ code: 'upload-unknown' });
});

it('leaves nothing of what is too large or breaks off', async () => {
  await using here = await place();
  const { uploads, folder } = here;
  await expect(uploads.take(pieces('hello', ' world'), {})).rejects.toMatchObject({
    code: 'upload-too-large',
  });
  const broken = (async function* () {
    yield Buffer.from('hel');
    throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
  })();
  await expect(uploads.take(broken, {})).rejects.toMatchObject({ code: 'upload-incomplete' });
  expect(readdirSync(folder)).toEqual([]);
});

it('removes what nobody used for a day', async () => {
  await using here = await place();
  const { uploads, folder, clock } = here;
  const old = await uploads.take(pieces('old'), {});
  const used = await uploads.take(pieces('used'), {});
  clock.advance(23 * 3_600_000);
  await uploads.use(used.id);
  clock.advance(2 * 3_600_000);
  await uploads.removeOld();
  expect(readdirSync(folder)).toEqual([used.id]);
  await expect(uploads.use(old.id)).rejects.toMatchObject({ code: 'upload-unknown' });
});
