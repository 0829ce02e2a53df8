import { expect, it } from 'vitest';
import { countTests } from './count-tests.ts';

const file = (status: string, ...tests: readonly string[]) => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});

it('counts passed, failed and skipped tests over all files', () => {
  const testResults = [
    file('passed', 'passed', 'skipped', 'todo'),
    file('failed', 'failed', 'passed', 'pending'),
  ];
  expect(countTests({ success: false, testResults })).toEqual({ passed: 2, failed: 1, skipped: 3 });
});

it('counts a file that could not be loaded as one failed test', () => {
  expect(countTests({ success: false, testResults: [file('failed')] })).toEqual({
    passed: 0,
    failed: 1,
    skipped: 0,
  });
});

it('counts a file whose hook failed although its tests passed', () => {
  expect(countTests({ success: false, testResults: [file('failed', 'passed')] })).toEqual({
    passed: 1,
    failed: 1,
    skipped: 0,
  });
});
