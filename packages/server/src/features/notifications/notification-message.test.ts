import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleEvent, sampleEvents } from '../../testing/notification-samples.ts';
import { eventKey } from './notification-event.ts';
import { bodyOf, messageOf, messageSchema } from './notification-message.ts';

const timeMs = Date.UTC(2026, 0, 1);

describe('a message', () => {
  it.each(sampleEvents().map((event) => [event.event, event] as const))(
    'of %s has one line that says what, a body with the ids, and survives the catalog',
    (_name, event) => {
      const message = messageOf(event, timeMs);
      expect(message.subject).toMatch(/^[^\n]+$/);
      expect(messageSchema.parse(JSON.parse(JSON.stringify(message)))).toEqual(message);
      const body = bodyOf(message);
      expect(body).toContain(message.message);
      expect(body).toContain('Time: 2026-01-01T00:00:00.000Z');
      if ('environment' in event) expect(body).toContain(`Environment: shop (${event.environment.id})`);
      if ('job' in event) expect(body).toContain(event.job.id);
    },
  );

  it('of a failure says what happened and what to do about it', () => {
    const event = sampleEvent('backup.failed');
    expect(bodyOf(messageOf(event, timeMs))).toBe(
      [
        'The volume data is empty.',
        '',
        'Look at it.',
        '',
        'Time: 2026-01-01T00:00:00.000Z',
        `Environment: shop (${event.environment.id})`,
        `Backup: ${event.backup.id}`,
        `Job: ${event.job.id}`,
        '',
      ].join('\n'),
    );
  });

  it('keeps its bounds, whatever an error says', () => {
    const event = sampleEvent('backup.failed');
    const warned = sampleEvent('backup.warned');
    fc.assert(
      fc.property(fc.string({ maxLength: 5000, unit: 'binary' }), fc.array(fc.string()), (text, warnings) => {
        const environment = { ...event.environment, name: text };
        const error = { code: 'x', message: text, hint: text };
        const message = messageOf({ ...event, environment, error }, timeMs);
        expect(message.subject).not.toMatch(/\p{Cc}/u);
        expect(message.subject.length).toBeLessThanOrEqual(150);
        expect(message.message.length).toBeLessThanOrEqual(2000);
        const { details } = messageOf({ ...warned, warnings }, timeMs);
        expect((details.warnings as string[]).length).toBeLessThanOrEqual(20);
      }),
    );
  });
});

describe('the key of an event', () => {
  it('is one of its own for each, and the same for the same', () => {
    const queued = sampleEvents().flatMap((event) => (event.event === 'test' ? [] : [event]));
    const keys = queued.map(eventKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(queued.map((event) => eventKey(structuredClone(event)))).toEqual(keys);
  });

  it('does not depend on what is only said about it', () => {
    const overdue = sampleEvent('backup.overdue');
    expect(eventKey({ ...overdue, hours: 50 })).toBe(eventKey(overdue));
    expect(eventKey({ ...overdue, lastGoodAtMs: null })).not.toBe(eventKey(overdue));
    const full = sampleEvent('vault.nearly-full');
    expect(eventKey({ ...full, freeBytes: 1 })).toBe(eventKey(full));
    expect(eventKey({ ...full, sinceMs: full.sinceMs + 1 })).not.toBe(eventKey(full));
  });
});
