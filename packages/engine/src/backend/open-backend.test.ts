import { describe, expect, it } from 'vitest';
import { openBackend } from './open-backend.ts';

describe('openBackend', () => {
  it.each([
    ['/srv/backups', '/srv/backups'],
    ['local:/srv/backups', '/srv/backups'],
    ['relative/path', 'relative/path'],
    ['local:s3:odd', 's3:odd'],
    ['./rest:odd', './rest:odd'],
    ['s3:https://example.org/bucket', 's3:https://example.org/bucket'],
  ])('takes %s for %s', (location, place) => {
    expect(openBackend(location).location).toBe(place);
  });

  it.each(['s3:https://example.org', 'rest:http://localhost:8000/', 'sftp:user@host:/srv', '', 'local:'])(
    'says what to do about %j',
    (location) => {
      const wrong = expect.objectContaining({ code: 'usage-invalid', hint: expect.any(String) });
      expect(() => openBackend(location)).toThrow(wrong);
    },
  );
});
