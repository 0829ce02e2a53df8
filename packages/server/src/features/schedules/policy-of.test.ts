import { expect, test } from 'vitest';
import { policyOf } from './policy-of.ts';

test('the cron string of a component that was deleted is not followed', () => {
  const crons = ['db', 'search'].map((component) => ({ component, cron: '0 2 * * *', retention: null }));
  const scopesWith = (deletedComponents: readonly { name: string; deletedAtMs: number }[]) =>
    policyOf({
      environment: { type: 'production', seen: { components: [], mounts: [], crons }, deletedComponents },
      settings: {},
      own: undefined,
      timezone: 'UTC',
    }).scopes.map(({ component }) => component);
  expect(scopesWith([])).toEqual([null, 'db', 'search']);
  expect(scopesWith([{ name: 'search', deletedAtMs: 0 }])).toEqual([null, 'db']);
});
