import { randomBytes } from 'node:crypto';
import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LocalBackend } from '../backend/local/local-backend.ts';
import { withRetries } from '../backend/wrappers/retries.ts';
import { sha256 } from '../crypto/hash.ts';
import { seal } from '../crypto/seal.ts';
import type { SnapshotId } from '../format/ids.ts';
import { encodeJson } from '../format/json.ts';
import { utcTimestamp } from '../format/timestamp.ts';
import { FaultBackend } from '../testing/fault-backend.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { snapshotOf, testPassword, testRepository } from '../testing/test-repository.ts';
import { initRepository } from './init-repository.ts';
import { openRepository } from './open-repository.ts';
import type { Snapshot } from './snapshot-store.ts';

const emptyTree = Buffer.from('{"nodes":[]}\n');

describe('initRepository', () => {
  it('makes a repository that each of its passwords opens', async () => {
    await using directory = await temporaryDirectory();
    const backend = new LocalBackend(join(directory.path, 'deep', 'repository'));
    const made = await initRepository({ backend, passwords: ['own', 'vault'] });
    for (const password of ['own', 'vault']) {
      const opened = await openRepository({ backend, password });
      expect(opened.id).toBe(made.id);
      expect(opened.polynomial).toBe(made.polynomial);
    }
  });

  it('makes no second one in the same place', async () => {
    await using place = await testRepository();
    const again = initRepository({ backend: place.backend, passwords: ['other'] });
    await expect(again).rejects.toMatchObject({ code: 'repository-exists' });
    await openRepository({ backend: place.backend, password: testPassword });
  });

  it('takes its own config for its own, when the answer to its save was lost and it was saved again', async () => {
    await using directory = await temporaryDirectory();
    const faulty = new FaultBackend(new LocalBackend(directory.path), [
      { method: 'save', kind: 'config', calls: [1], effect: 'fails-after' },
    ]);
    const backend = withRetries(faulty, { sleep: async () => {} });
    await initRepository({ backend, passwords: [testPassword] });
    expect(faulty.script.unused).toEqual([]);
    await openRepository({ backend, password: testPassword });
  });

  it('finishes what an interrupted one began', async () => {
    await using place = await testRepository();
    await rm(join(place.path, 'config'));
    const again = await initRepository({ backend: place.backend, passwords: [testPassword] });
    expect(again.id).not.toBe(place.repository.id);
    expect(await readdir(join(place.path, 'keys'))).toHaveLength(1);
  });

  it('touches nothing where a repository lost its config', async () => {
    await using place = await testRepository();
    {
      await using lock = await place.repository.lock('shared');
      await using writer = await place.repository.openWriter({ lock });
      await writer.saveBlob('data', randomBytes(10));
      await writer.flush();
    }
    await rm(join(place.path, 'config'));
    const again = initRepository({ backend: place.backend, passwords: ['other'] });
    await expect(again).rejects.toMatchObject({
      code: 'repository-exists',
      hint: expect.stringContaining('config'),
    });
    expect(await readdir(join(place.path, 'keys'))).toHaveLength(1);
  });

  it('wants a password', async () => {
    await using directory = await temporaryDirectory();
    const making = initRepository({ backend: new LocalBackend(directory.path), passwords: [''] });
    await expect(making).rejects.toMatchObject({ code: 'usage-invalid' });
  });
});

describe('openRepository', () => {
  it('tells where there is none', async () => {
    await using directory = await temporaryDirectory();
    for (const path of [directory.path, join(directory.path, 'nothing')]) {
      const opening = openRepository({ backend: new LocalBackend(path), password: 'any' });
      await expect(opening).rejects.toMatchObject({ code: 'repository-missing', hint: expect.any(String) });
    }
  });

  it('tells of a wrong password', async () => {
    await using place = await testRepository();
    const opening = openRepository({ backend: place.backend, password: 'wrong' });
    await expect(opening).rejects.toMatchObject({ code: 'password-wrong', hint: expect.any(String) });
  });

  it.each([
    ['empty', 0],
    ['cut off', 100],
  ])('tells of a config that is %s', async (_, length) => {
    await using place = await testRepository();
    await truncate(join(place.path, 'config'), length);
    const opening = openRepository({ backend: place.backend, password: testPassword });
    await expect(opening).rejects.toMatchObject({ code: 'repository-damaged', hint: expect.any(String) });
  });

  it('tells of a config that is no config, or of another version', async () => {
    await using place = await testRepository();
    const { key } = place.repository.storage;
    const path = join(place.path, 'config');
    const opening = async (config: unknown): Promise<unknown> => {
      await rm(path);
      await writeFile(path, seal(key, encodeJson(config)));
      return await openRepository({ backend: place.backend, password: testPassword });
    };
    const [id, chunker_polynomial] = ['1'.repeat(64), '25b468838dcb75'];
    await expect(opening({ version: 1, id, chunker_polynomial })).rejects.toMatchObject({
      code: 'repository-unsupported',
      hint: expect.stringContaining('migrate'),
    });
    await expect(opening({ version: 2, id })).rejects.toMatchObject({ code: 'repository-damaged' });
    const wrong = { version: 2, id, chunker_polynomial: '3' };
    await expect(opening(wrong)).rejects.toMatchObject({ code: 'repository-damaged' });
  });

  it('tells of keys that are gone, and passes over those that are damaged', async () => {
    await using place = await testRepository();
    const keys = join(place.path, 'keys');
    await writeFile(join(keys, '0'.repeat(64)), '{"kdf":"scrypt","N":1');
    await writeFile(join(keys, '1'.repeat(64)), randomBytes(100));
    const huge = { created: '', kdf: 'scrypt', N: 2 ** 40, r: 8, p: 1, salt: '', data: '' };
    await writeFile(join(keys, '2'.repeat(64)), encodeJson(huge));
    await openRepository({ backend: place.backend, password: testPassword });
    const wrong = openRepository({ backend: place.backend, password: 'wrong' });
    await expect(wrong).rejects.toMatchObject({
      code: 'password-wrong',
      hint: expect.stringContaining('3 of the keys'),
    });

    for (const name of await readdir(keys)) await rm(join(keys, name));
    const opening = openRepository({ backend: place.backend, password: testPassword });
    await expect(opening).rejects.toMatchObject({ code: 'repository-damaged' });
  });
});

describe('keys', () => {
  it('are added, listed and removed', async () => {
    await using place = await testRepository();
    const { repository, backend } = place;
    const added = await repository.keys.add('second');
    expect(await repository.keys.list()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: added, isCurrent: false }),
        expect.objectContaining({ isCurrent: true }),
      ]),
    );
    await openRepository({ backend, password: 'second' });
    await using lock = await repository.lock('exclusive');
    expect(await repository.keys.remove(added, { lock })).toBe(true);
    expect(await repository.keys.remove(added, { lock })).toBe(false);
    await expect(openRepository({ backend, password: 'second' })).rejects.toMatchObject({
      code: 'password-wrong',
    });
  });

  it('cannot lose the one that the repository is open with', async () => {
    await using place = await testRepository();
    const [current] = await place.repository.keys.list();
    await using lock = await place.repository.lock('exclusive');
    if (current === undefined) throw new Error('no key');
    const removing = place.repository.keys.remove(current.id, { lock });
    await expect(removing).rejects.toMatchObject({ code: 'usage-invalid' });
  });
});

describe('snapshots', () => {
  it('are listed by time, filtered, found and removed', async () => {
    await using place = await testRepository();
    const { repository } = place;
    await using lock = await repository.lock('shared');
    await using writer = await repository.openWriter({ lock });
    const { id: tree } = await writer.saveBlob('tree', emptyTree);
    await writer.flush();
    const save = async (second: number, hostname: string): Promise<Snapshot> =>
      await repository.snapshots.save(
        snapshotOf(tree, { time: utcTimestamp(second * 1000), hostname, tags: [hostname] }),
        { lock },
      );
    const [third, first, second] = [await save(3, 'b'), await save(1, 'a'), await save(2, 'b')];

    const { snapshots, damaged } = await repository.snapshots.list();
    expect(snapshots.map(({ id }) => id)).toEqual([first.id, second.id, third.id]);
    expect(damaged).toEqual([]);
    expect((await repository.snapshots.list({ hostname: 'b' })).snapshots).toHaveLength(2);
    expect((await repository.snapshots.list({ tags: ['a', 'b'] })).snapshots).toEqual([]);
    expect((await repository.snapshots.list({ paths: ['/data'] })).snapshots).toHaveLength(3);

    const { snapshots: store } = repository;
    expect((await store.find('latest')).id).toBe(third.id);
    expect((await store.find('latest', { hostname: 'a' })).id).toBe(first.id);
    expect((await store.find(first.id)).id).toBe(first.id);
    expect((await store.find(first.id.slice(0, 16).toUpperCase())).id).toBe(first.id);
    for (const unknown of ['', 'xyz', 'f'.repeat(64), 'LATEST', '../..']) {
      await expect(store.find(unknown)).rejects.toMatchObject({ code: 'snapshot-unknown' });
    }
    await expect(store.find('latest', { hostname: 'c' })).rejects.toMatchObject({ code: 'snapshot-unknown' });

    expect(await store.remove(first.id, { lock })).toBe(true);
    expect(await store.remove(first.id, { lock })).toBe(false);
    expect((await store.list()).snapshots).toHaveLength(2);
  });

  it('are not guessed where several ids begin alike', async () => {
    await using place = await testRepository();
    for (const digit of ['a', 'b'])
      await writeFile(join(place.path, 'snapshots', `c${digit.repeat(63)}`), 'x');
    const finding = place.repository.snapshots.find('c');
    await expect(finding).rejects.toMatchObject({ code: 'snapshot-ambiguous' });
    await expect(place.repository.snapshots.find('ca')).rejects.toMatchObject({ code: 'repository-damaged' });
  });

  it('that are damaged do not hide the others, but there is no latest then', async () => {
    await using place = await testRepository();
    const { repository } = place;
    await using lock = await repository.lock('shared');
    await using writer = await repository.openWriter({ lock });
    const { id: tree } = await writer.saveBlob('tree', emptyTree);
    await writer.flush();
    const good = await repository.snapshots.save(snapshotOf(tree), { lock });
    const garbage = randomBytes(300);
    await place.backend.save({ kind: 'snapshot', id: sha256(garbage) }, [garbage]);
    const { snapshots, damaged } = await repository.snapshots.list();
    expect(snapshots.map(({ id }) => id)).toEqual([good.id]);
    expect(damaged.map(({ id }) => id)).toEqual([sha256(garbage)]);
    await expect(repository.snapshots.find('latest')).rejects.toMatchObject({ code: 'repository-damaged' });
    expect((await repository.snapshots.find(good.id)).id).toBe(good.id);
  });

  it('are not saved for a tree that the repository does not have', async () => {
    await using place = await testRepository();
    await using lock = await place.repository.lock('shared');
    const saving = place.repository.snapshots.save(snapshotOf('0'.repeat(64) as SnapshotId as never), {
      lock,
    });
    await expect(saving).rejects.toMatchObject({ code: 'blob-missing' });
  });
});
