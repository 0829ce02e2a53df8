import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { quickScrypt } from '../testing/manual-runtime.ts';
import { s3Place } from '../testing/s3-place.ts';
import { saveSnapshot } from '../testing/saved-directory.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { testPassword } from '../testing/test-repository.ts';
import { initRepository } from './init-repository.ts';
import { openAtLocation, openToRead } from './locked-repository.ts';
import { systemRuntime } from './runtime.ts';

const { signal } = new AbortController();

describe('a repository that is opened where it is', () => {
  it('is reached with the credentials that are given, and cached where that is said', async () => {
    await using place = await s3Place();
    await using directory = await temporaryDirectory();
    const { location, credentials } = place;
    const runtime = { ...systemRuntime(), scrypt: quickScrypt };
    const made = await initRepository({ backend: place.open(), passwords: [testPassword], runtime });
    await saveSnapshot(made, { a: testBytes('a', 200_000) });

    const operations: string[] = [];
    const s3 = { credentials, env: {}, onRequest: (operation: string) => void operations.push(operation) };
    const cacheDirectory = join(directory.path, 'cache');
    const access = { location, password: testPassword, storage: { s3 }, cacheDirectory };
    await using opened = await openToRead(access, { signal });
    expect((await opened.repository.snapshots.list()).snapshots).toHaveLength(1);
    expect(operations).toContain('ListObjectsV2');
    expect(await readdir(cacheDirectory)).toEqual([opened.repository.id]);
    expect(await readdir(join(cacheDirectory, opened.repository.id, 'index'))).toHaveLength(1);
    const told = inspect(opened, { depth: null, showHidden: true });
    expect(told).not.toContain(credentials.secretAccessKey);
  });

  it('tells no secret when the credentials are wrong', async () => {
    await using place = await s3Place();
    await place.open().create();
    const credentials = { ...place.credentials, secretAccessKey: 'not-the-secret' };
    const access = { location: place.location, password: testPassword, storage: { s3: { credentials } } };
    const error: unknown = await openAtLocation(access, { signal }).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'storage-credentials-wrong' });
    expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(
      /not-the-secret|correct horse|Signature=/,
    );
  });
});
