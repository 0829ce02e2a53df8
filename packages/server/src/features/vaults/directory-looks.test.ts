import { expect, test } from 'vitest';
import { DirectoryLooks } from './directory-looks.ts';

const unreachable = { code: 'storage-unreachable' };

test('a look answers or fails as it does', async () => {
  const looks = new DirectoryLooks();
  expect(await looks.look('/vault', async () => 7)).toBe(7);
  await expect(looks.look('/vault', async () => Promise.reject(new Error('No.')))).rejects.toThrow('No.');
  expect(await looks.look('/vault', async () => 8)).toBe(8);
});

test('one that does not come back is waited for no longer than the limit, and no other is begun until it does', async () => {
  const looks = new DirectoryLooks(1);
  const hanging = Promise.withResolvers<number>();
  let begun = 0;
  const look = async (work: () => Promise<number>) =>
    await looks.look('/vault', async () => {
      begun += 1;
      return await work();
    });
  await Promise.all([
    expect(look(async () => await hanging.promise)).rejects.toMatchObject(unreachable),
    expect(look(async () => await hanging.promise)).rejects.toMatchObject(unreachable),
  ]);
  await expect(look(async () => 1)).rejects.toMatchObject(unreachable);
  expect(begun).toBe(2);
  expect(await looks.look('/other', async () => 3)).toBe(3);
  hanging.resolve(0);
  await new Promise(setImmediate);
  expect(await look(async () => 2)).toBe(2);
});
