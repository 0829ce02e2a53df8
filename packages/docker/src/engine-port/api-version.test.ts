import { expect, test } from 'vitest';
import { chooseApiVersion } from './api-version.ts';

const host = 'unix:///run/docker.sock';

test.each([
  ['1.41', '1.12', '1.41'],
  ['1.51', '1.24', '1.41'],
  ['1.54', '1.44', '1.44'],
  ['1.41', '', '1.41'],
  ['2.0', '1.50', '1.50'],
])('an engine that speaks up to %s and down to %s is spoken to in %s', (newest, oldest, chosen) => {
  expect(chooseApiVersion({ host, newest, oldest })).toBe(chosen);
});

test.each(['1.40', '1.9', '', 'nonsense'])('an engine that speaks %s is refused', (newest) => {
  expect(() => chooseApiVersion({ host, newest, oldest: '1.12' })).toThrow(
    expect.objectContaining({ code: 'docker-refused', hint: expect.stringContaining('1.41') }),
  );
});
