import type { ScheduleId } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { moment } from '../../testing/policy-samples.ts';
import { wordsOfEnd, wordsOfKeep, wordsOfRemove } from './verdict-words.ts';

const atMs = moment('2026-06-30T12:00Z');
const schedule = 'interval:1d' as ScheduleId;

test('verdicts are put into words', () => {
  expect(wordsOfKeep({ rule: 'manual-count', count: 1 })).toBe('the newest manual one');
  expect(wordsOfKeep({ rule: 'schedule', schedule })).toBe('the schedule interval:1d');
  expect(wordsOfKeep({ rule: 'last-good', instead: { rule: 'own-retention', expiresAtMs: atMs } })).toBe(
    'the last good one (else: its own retention ended 2026-06-30 12:00 UTC)',
  );
  expect(wordsOfRemove({ rule: 'max-backups', count: 3 })).toBe('more than 3 backups');
});

test('ends are put into words', () => {
  expect(wordsOfEnd({ kind: 'none' })).toBeNull();
  expect(wordsOfEnd({ kind: 'date', atMs })).toBe('until 2026-06-30 12:00 UTC');
  const replaced = { kind: 'replaced', afterNext: 2 } as const;
  expect(wordsOfEnd({ ...replaced, by: { kind: 'schedule', schedule } })).toBe(
    'replaced after the next 2 backups of the schedule interval:1d',
  );
  expect(wordsOfEnd({ ...replaced, afterNext: 1, by: { kind: 'manual' } })).toBe(
    'replaced after the next 1 manual backup',
  );
});
