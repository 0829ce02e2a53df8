import { describe, expect, it } from 'vitest';
import { openBackend } from './open-backend.ts';

describe('openBackend', () => {
  it.each([
    ['/srv/backups', '/srv/backups'],
    ['local:/srv/backups', '/srv/backups'],
    ['relative/path', 'relative/path'],
    ['local:s3:odd', 's3:odd'],
    ['./rest:odd', './rest:odd'],
  ])('takes %s for the directory %s', (location, directory) => {
    expect(openBackend(location).location).toBe(directory);
  });

  it.each([
    's3:https://example.org/bucket',
    'rest:http://localhost:8000/',
    'sftp:user@host:/srv',
    '',
    'local:',
  ])('says what to do about %j', (location) => {
    const wrong = expect.objectContaining({ code: 'usage-invalid', hint: expect.any(String) });
    expect(() => openBackend(location)).toThrow(wrong);
  });
});
