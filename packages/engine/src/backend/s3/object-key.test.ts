import { describe, expect, it } from 'vitest';
import { idOfKey, isKeyOfFile, keyOf } from './object-key.ts';

const id = 'ab'.repeat(32);

describe('keys of objects', () => {
  it('are those of restic', () => {
    expect(keyOf('', { kind: 'config' })).toBe('config');
    expect(keyOf('a/b/', { kind: 'config' })).toBe('a/b/config');
    expect(keyOf('a/', { kind: 'data', id })).toBe(`a/data/ab/${id}`);
    expect(keyOf('', { kind: 'key', id })).toBe(`keys/${id}`);
    expect(keyOf('', { kind: 'lock', id })).toBe(`locks/${id}`);
    expect(keyOf('', { kind: 'snapshot', id })).toBe(`snapshots/${id}`);
    expect(keyOf('', { kind: 'index', id })).toBe(`index/${id}`);
  });

  it('of other objects are no files', () => {
    expect(idOfKey('a/', 'data', `a/data/ab/${id}`)).toBe(id);
    for (const key of [`a/data/${id}`, `a/data/cd/${id}`, 'a/data/', `a/data/ab/${id}.tmp`]) {
      expect(idOfKey('a/', 'data', key)).toBeUndefined();
    }
    expect(isKeyOfFile('a/', `a/index/${id}`)).toBe(true);
    expect(isKeyOfFile('a/', 'a/config')).toBe(true);
    for (const key of [`index/${id}`, `a/b/index/${id}`, 'a/notes.txt', `a/index/x${id}`]) {
      expect(isKeyOfFile('a/', key)).toBe(false);
    }
  });
});
