import { describe, expect, it } from 'vitest';
import { openS3Client } from './s3-client.ts';
import { parseS3Location } from './s3-location.ts';
import type { S3Options } from './s3-options.ts';

const credentials = { accessKeyId: 'KEY', secretAccessKey: 'secret' };

interface Request {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The request that would be sent for one object, signed. */
async function requestOf(location: string, options: S3Options): Promise<Request> {
  const place = parseS3Location(location);
  const { sdk, client } = await openS3Client(place, { env: {}, ...options });
  let request: unknown;
  client.middlewareStack.add(
    () => async (args) => {
      request = args.request;
      throw new Error('not to be sent');
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  const command = new sdk.GetObjectCommand({ Bucket: place.bucket, Key: `${place.prefix}config` });
  await client.send(command).catch(() => {});
  return request as Request;
}

describe('openS3Client', () => {
  it.each<[string, S3Options, string]>([
    ['s3:example.org/bucket/a', {}, 'https://example.org/bucket/a/config us-east-1'],
    ['s3:http://example.org:9000/bucket', {}, 'http://example.org:9000/bucket/config us-east-1'],
    ['s3:example.org/bucket', { bucketLookup: 'dns' }, 'https://bucket.example.org/config us-east-1'],
    ['s3:example.org/bucket', { region: 'north' }, 'https://example.org/bucket/config north'],
    [
      's3:example.org/bucket',
      { env: { AWS_DEFAULT_REGION: 'a', AWS_REGION: 'b' } },
      'https://example.org/bucket/config a',
    ],
    ['s3:s3.fr-par.scw.cloud/bucket', {}, 'https://s3.fr-par.scw.cloud/bucket/config fr-par'],
    [
      's3:s3.amazonaws.com/bucket',
      { region: 'eu-west-1' },
      'https://bucket.s3.eu-west-1.amazonaws.com/config eu-west-1',
    ],
    [
      's3:s3.eu-west-3.amazonaws.com/bucket',
      {},
      'https://bucket.s3.eu-west-3.amazonaws.com/config eu-west-3',
    ],
    [
      's3:s3.eu-west-3.amazonaws.com/bucket',
      { bucketLookup: 'path' },
      'https://s3.eu-west-3.amazonaws.com/bucket/config eu-west-3',
    ],
  ])('for %s with %j', async (location, options, expected) => {
    const { protocol, hostname, port, path, headers } = await requestOf(location, {
      credentials,
      ...options,
    });
    const [, region] = /Credential=KEY\/\d+\/([^/]+)\/s3/.exec(headers.authorization ?? '') ?? [];
    expect(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path} ${region}`).toBe(expected);
  });

  it('takes credentials from the environment where none are given', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'OTHER', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' };
    const { headers } = await requestOf('s3:example.org/bucket', { env });
    expect(headers.authorization).toContain('Credential=OTHER/');
    expect(headers['x-amz-security-token']).toBe('token');
    const given = await requestOf('s3:example.org/bucket', { env, credentials });
    expect(given.headers.authorization).toContain('Credential=KEY/');
    expect(given.headers['x-amz-security-token']).toBeUndefined();
  });
});
