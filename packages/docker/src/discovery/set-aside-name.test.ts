import { expect, test } from 'vitest';
import { parseSetAsideName, toSetAsideName } from './set-aside-name.ts';

test.each(['web', 'shop-web-1', 'a.holdfast-replaced-b'])('%s is found again in its name aside', (name) => {
  const aside = toSetAsideName({ name, mark: 'job_1-2' });
  expect(aside).toMatch(/^[a-zA-Z0-9][\w.-]*$/);
  expect(parseSetAsideName(aside)).toEqual({ name, mark: 'job_1-2' });
});

test.each(['web', '', '.holdfast-replaced-x'])('%s is no name aside', (name) => {
  expect(parseSetAsideName(name)).toBeUndefined();
});
