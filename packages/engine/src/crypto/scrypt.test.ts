import { describe, expect, it } from 'vitest';
import { deriveKey } from './scrypt.ts';

describe('scrypt', () => {
  it('derives what the test vectors of RFC 7914 say', async () => {
    const salt = Buffer.from('NaCl');
    const key = await deriveKey('password', salt, { N: 1024, r: 8, p: 16 });
    expect(key.encrypt.toString('hex')).toBe(
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162',
    );
    expect(key.macK.toString('hex')).toBe('2eaf30d92e22a3886ff109279d9830da');
  });

  it.each([
    { N: 0, r: 8, p: 1 },
    { N: 1, r: 8, p: 1 },
    { N: 1000, r: 8, p: 1 },
    { N: 1024, r: 0, p: 1 },
    { N: 1024, r: 8, p: 0 },
    { N: 2 ** 40, r: 8, p: 1 },
    { N: 1024, r: 8, p: 2 ** 40 },
    { N: 1024, r: 2 ** 40, p: 1 },
    { N: 2 ** 30, r: 1, p: 1 },
  ])('refuses $N, $r, $p', async (parameters) => {
    const deriving = deriveKey('password', Buffer.alloc(64), parameters);
    await expect(deriving).rejects.toMatchObject({ code: 'repository-unsupported' });
  });
});
