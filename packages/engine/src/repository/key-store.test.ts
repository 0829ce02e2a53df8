import { describe, expect, it } from 'vitest';
import { quickRuntime } from '../testing/quick-runtime.ts';
import { type TestRepository, testPassword, testRepository } from '../testing/test-repository.ts';
import { openRepository } from './open-repository.ts';
import type { Repository } from './repository.ts';

async function openWith({ backend }: TestRepository, password: string): Promise<Repository> {
  return await openRepository({ backend, password, runtime: quickRuntime() });
}

describe('keys', () => {
  it('a new password takes the place of the one in use', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    await place.repository.keys.add('other');
    await using lock = await place.repository.lock('exclusive');
    const id = await place.repository.keys.replaceCurrent('new', { lock });

    const keys = await place.repository.keys.list();
    expect(keys).toHaveLength(2);
    expect(keys.find(({ isCurrent }) => isCurrent)?.id).toBe(id);
    await expect(openWith(place, testPassword)).rejects.toMatchObject({ code: 'password-wrong' });
    for (const password of ['new', 'other']) await openWith(place, password);
    await expect(place.repository.keys.replaceCurrent('', { lock })).rejects.toMatchObject({
      code: 'usage-invalid',
    });
    await openWith(place, 'new');
  });

  it('keep the old password where the lock was lost', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const lock = await place.repository.lock('exclusive');
    await lock.release();
    const changing = place.repository.keys.replaceCurrent('new', { lock });
    await expect(changing).rejects.toMatchObject({ code: 'repository-lock-lost' });
    await openWith(place, testPassword);
  });

  it('are found by the beginning of their ids', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const id = await place.repository.keys.add('other');
    expect(await place.repository.keys.find(id.slice(0, 10).toUpperCase())).toBe(id);
    await expect(place.repository.keys.find('xyz')).rejects.toMatchObject({ code: 'key-unknown' });
    await expect(place.repository.keys.find('')).rejects.toMatchObject({ code: 'key-unknown' });
  });

  it('two that remove each other leave one', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const other = await place.repository.keys.add('other');
    const first = (await place.repository.keys.list()).find(({ isCurrent }) => isCurrent);
    const opened = await openWith(place, 'other');
    await using lock = await place.repository.lock('exclusive');
    expect(await place.repository.keys.remove(other, { lock })).toBe(true);
    if (first === undefined) throw new Error('no key is in use');
    await expect(opened.keys.remove(first.id, { lock })).rejects.toMatchObject({ code: 'usage-invalid' });
    await openWith(place, testPassword);
  });
});
