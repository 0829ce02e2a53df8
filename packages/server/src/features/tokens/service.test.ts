import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rights } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { createIds } from '../../catalog/ids.ts';
import { createManualClock } from '../../testing/manual-clock.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { sqliteTestDatabase } from '../../testing/test-catalogs.ts';
import { createTokenService } from './service.ts';
import { createTokenStore } from './store.ts';

async function setUp() {
  const stack = new AsyncDisposableStack();
  const clock = createManualClock();
  const directory = stack.use(await temporaryDirectory());
  const catalog = stack.use(await stack.use(await sqliteTestDatabase()).open(clock));
  const service = createTokenService(createTokenStore({ catalog, clock, ids: createIds() }));
  const path = join(directory.path, 'token');
  const readToken = async () => (await readFile(path, 'utf8')).trim();
  return { service, catalog, directory: directory.path, path, readToken, dispose: stack };
}

test('the first token has all rights and stands in a file for its owner only', async () => {
  const { service, catalog, directory, path, readToken, dispose } = await setUp();
  await using _ = dispose;
  await service.ensureLocal(directory, 'a');
  const token = await readToken();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await service.authenticate(token)).toMatchObject({ name: 'local-a', rights });
  expect(await service.authenticate(`${token}x`)).toBeUndefined();
  const rows = await catalog.db.selectFrom('token').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(token);
  await service.ensureLocal(directory, 'a');
  expect(await readToken()).toBe(token);
});

test('removing the file makes the token void and a new one', async () => {
  const { service, directory, path, readToken, dispose } = await setUp();
  await using _ = dispose;
  await service.ensureLocal(directory, 'a');
  const before = await readToken();
  await rm(path);
  await service.ensureLocal(directory, 'a');
  expect(await readToken()).not.toBe(before);
  expect(await service.authenticate(before)).toBeUndefined();
  expect(await service.authenticate(await readToken())).toBeDefined();
});

test('a file that was put back is taken, one of another server or without a token is not', async () => {
  const { service, directory, path, readToken, dispose } = await setUp();
  await using _ = dispose;
  await service.ensureLocal(directory, 'a');
  const first = await readToken();
  await service.ensureLocal(directory, 'b');
  const second = await readToken();
  expect(second).not.toBe(first);
  expect(await service.authenticate(first)).toMatchObject({ name: 'local-a' });
  await writeFile(path, 'nonsense');
  await service.ensureLocal(directory, 'b');
  expect(await service.authenticate(second)).toBeUndefined();
  await writeFile(path, `${second}\n`);
  await service.ensureLocal(directory, 'b');
  expect(await service.authenticate(second)).toMatchObject({ name: 'local-b' });
});
