import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { errorCodes } from './error-codes.ts';

it('docs/errors.md explains every code, under its kind, and no other', () => {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^\| `([a-z-]+)` \| ([a-z-]+) \| \S.*\|$/gm)].map((match) => [
    match[1],
    match[2],
  ]);
  expect(Object.fromEntries(documented)).toEqual(errorCodes);
  expect(documented).toHaveLength(Object.keys(errorCodes).length);
});
