import { describe, expect, it } from 'vitest';
import { testContext } from '../testing/cli-run.ts';
import { givenBackend } from './given-backend.ts';
import type { RepositoryOptions } from './repository-options.ts';

const bucket = 's3:https://example.org/bucket';
const env = { HOME: '/home/smith' };

function cacheOf(location: string, options: RepositoryOptions = {}, more: Record<string, string> = {}) {
  const { context } = testContext([], { env: { ...env, ...more }, folder: '/projects' });
  return givenBackend(context, location, options).cacheDirectory;
}

describe('givenBackend', () => {
  it('keeps metadata of remote repositories where the user wants it', () => {
    expect(cacheOf(bucket)).toBe('/home/smith/.cache/holdfast');
    expect(cacheOf(bucket, {}, { XDG_CACHE_HOME: '/var/cache' })).toBe('/var/cache/holdfast');
    expect(cacheOf(bucket, { cacheDir: 'mine' })).toBe('/projects/mine');
    expect(cacheOf(bucket, { cache: false, cacheDir: 'mine' })).toBeUndefined();
    expect(cacheOf('/srv/backups')).toBeUndefined();
  });

  it.each(['s3.region=eu', 's3.bucket-lookup=dns', 's3.bucket-lookup=path', 's3.connections=5'])(
    'takes the option %s',
    (option) => {
      expect(cacheOf(bucket, { option: [option] })).toBeDefined();
    },
  );

  it.each(['s3.region', 's3.region=', 's3.bucket-lookup=host', 's3.secret=x', 's3.connections=0', ''])(
    'refuses the option "%s"',
    (option) => {
      const refused = expect.objectContaining({ code: 'usage-invalid', hint: expect.any(String) });
      expect(() => cacheOf(bucket, { option: [option] })).toThrow(refused);
    },
  );
});
