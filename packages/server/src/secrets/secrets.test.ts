import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { makePrivateDirectory } from './private-directory.ts';
import { makePrivateFile, writePrivateFile } from './private-file.ts';
import { createRecoveryKeys } from './recovery-key.ts';
import { openSealKey } from './seal-key.ts';
import { createSealer } from './sealer.ts';

const unreadable = expect.objectContaining({ code: 'secret-unreadable' });

test('a private file is for its owner only, and nothing else is left behind', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'secret');
  await writePrivateFile(path, 'one');
  await writePrivateFile(path, 'two');
  expect(await readFile(path, 'utf8')).toBe('two');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory.path)).toEqual(['secret']);
});

test('of many that make a private file at once, one does and all see it', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'secret');
  const texts = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => await makePrivateFile(path, `secret ${index}`)),
  );
  expect(new Set(texts).size).toBe(1);
  expect(await readFile(path, 'utf8')).toBe(texts[0]);
  expect(await readdir(directory.path)).toEqual(['secret']);
});

test('a sealed secret opens with its key and its row only', () => {
  const sealer = createSealer(randomBytes(32));
  const sealed = sealer.seal('pässword', 'rep_1');
  expect(sealed).not.toContain('pässword');
  expect(sealer.seal('pässword', 'rep_1')).not.toBe(sealed);
  expect(sealer.unseal(sealed, 'rep_1')).toBe('pässword');
  expect(() => sealer.unseal(sealed, 'rep_2')).toThrow(unreadable);
  expect(() => createSealer(randomBytes(32)).unseal(sealed, 'rep_1')).toThrow(unreadable);
});

test('a sealed secret that was changed anywhere does not open', () => {
  const sealer = createSealer(randomBytes(32));
  const sealed = sealer.seal('password', 'rep_1');
  const start = sealed.lastIndexOf('.') + 1;
  const box = Buffer.from(sealed.slice(start), 'base64url');
  for (let position = 0; position < box.length; position += 1) {
    const changed = Buffer.from(box);
    changed.writeUInt8(changed.readUInt8(position) ^ 1, position);
    const text = sealed.slice(0, start) + changed.toString('base64url');
    expect(() => sealer.unseal(text, 'rep_1')).toThrow(unreadable);
  }
  for (const text of [
    '',
    'x',
    '1.',
    sealed.slice(0, start),
    sealed.slice(0, start + 20),
    `2${sealed.slice(1)}`,
  ]) {
    expect(() => sealer.unseal(text, 'rep_1')).toThrow(unreadable);
  }
});

test('the seal key is made once and refused when it is no key', async () => {
  await using directory = await temporaryDirectory();
  const sealed = (await openSealKey(directory.path)).seal('password', 'rep_1');
  expect((await openSealKey(directory.path)).unseal(sealed, 'rep_1')).toBe('password');
  await writeFile(join(directory.path, 'seal.key'), 'short');
  await expect(openSealKey(directory.path)).rejects.toEqual(unreadable);
});

test('a recovery key is made once and never made anew by reading', async () => {
  await using directory = await temporaryDirectory();
  const keys = createRecoveryKeys(directory.path);
  await expect(keys.read('default')).rejects.toEqual(unreadable);
  await keys.ensure('default');
  const key = await keys.read('default');
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  await keys.ensure('default');
  expect(await keys.read('default')).toBe(key);
  expect((await stat(keys.pathOf('default'))).mode & 0o777).toBe(0o600);
  await rm(keys.pathOf('default'));
  await expect(keys.read('default')).rejects.toEqual(unreadable);
});

test('a recovery key that gives way to another is kept beside it', async () => {
  await using directory = await temporaryDirectory();
  const keys = createRecoveryKeys(directory.path);
  expect(await keys.readIfThere('default')).toBeUndefined();
  await keys.replace('default', 'of the kit');
  await keys.replace('default', 'of the kit');
  expect(await readdir(join(directory.path, 'recovery'))).toEqual(['default.key']);
  await keys.replace('default', 'another');
  expect(await keys.read('default')).toBe('another');
  const [, replaced = ''] = (await readdir(join(directory.path, 'recovery'))).sort();
  expect(replaced).toMatch(/^default\.key\.[0-9a-f]{8}\.replaced$/);
  const path = join(directory.path, 'recovery', replaced);
  expect(await readFile(path, 'utf8')).toBe('of the kit\n');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a private directory is made with those above it, and refused where nothing can be made', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'a/b/c');
  await Promise.all(Array.from({ length: 5 }, async () => await makePrivateDirectory(path)));
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect((await stat(join(directory.path, 'a'))).mode & 0o777).toBe(0o700);
  await writeFile(join(path, 'file'), '');
  await expect(makePrivateDirectory(join(path, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makePrivateDirectory('/proc/nothing/here')).rejects.toMatchObject({ code: 'ENOENT' });
});
