import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FaultProxy } from '../../testing/fault-proxy.ts';
import { describePlainFilesContract } from '../../testing/plain-files-contract.ts';
import { type S3Place, s3Place, s3ServerUrl } from '../../testing/s3-place.ts';
import { openPlainFiles } from '../open-backend.ts';
import type { PlainFiles } from '../plain-files.ts';
import type { S3Options } from './s3-options.ts';

function openAt(place: S3Place, location = place.location, options: S3Options = {}): PlainFiles {
  const s3 = { credentials: place.credentials, ...options };
  return openPlainFiles(location, { s3, retries: { sleep: async () => {} } });
}

/** Past all that the files under test refuse. */
async function putObject(place: S3Place, name: string, bytes: Uint8Array): Promise<void> {
  const sdk = await import('@aws-sdk/client-s3');
  const { accessKeyId, secretAccessKey } = place.credentials;
  const client = new sdk.S3Client({
    endpoint: s3ServerUrl().href,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const Key = `repositories/first/${name}`;
  await client.send(new sdk.PutObjectCommand({ Bucket: place.bucket, Key, Body: bytes }));
  client.destroy();
}

describePlainFilesContract('S3PlainFiles', async () => {
  const place = await s3Place();
  return {
    // Few connections, and short pages of listings.
    files: openAt(place, place.location, { maxSockets: 8, listedAtOnce: 3 }),
    put: (name, bytes) => putObject(place, name, bytes),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
});

describe('S3PlainFiles', () => {
  it('say that the bucket is missing, and make it when they are created', async () => {
    await using place = await s3Place();
    const files = openAt(place);
    const missing = { code: 'storage-bucket-missing', hint: expect.any(String), retry: false };
    await expect(files.read('marker')).rejects.toMatchObject(missing);
    await expect(files.stat('marker')).rejects.toMatchObject(missing);
    await expect(files.remove('marker')).rejects.toMatchObject(missing);
    await expect(files.write('marker', Buffer.of())).rejects.toMatchObject(missing);
    await expect(files.write('marker', Buffer.of(), { ifNew: true })).rejects.toMatchObject(missing);
    await expect(files.listFolders()).rejects.toMatchObject(missing);
    await expect(files.usage('folder')).rejects.toMatchObject(missing);
    await files.create();
    expect(await files.read('marker')).toBeUndefined();
  });

  it('are beside the repositories of the bucket', async () => {
    await using place = await s3Place();
    const backend = place.open();
    await backend.create();
    const bytes = Buffer.from('a pack');
    const id = createHash('sha256').update(bytes).digest('hex');
    await backend.save({ kind: 'data', id }, [bytes]);
    const files = openAt(place, place.location.replace(/\/repositories\/first$/, ''));
    expect(await files.listFolders()).toEqual(['repositories']);
    expect(await files.usage('repositories/first')).toEqual({ files: 1, bytes: bytes.length });
    await files.write('marker', Buffer.from('x'), { ifNew: true });
    expect(await openAt(place).read('marker')).toBeUndefined();
    expect(await files.read('marker')).toEqual(Buffer.from('x'));
  });

  it('repeat what fails, and know what is theirs when an answer was lost', async () => {
    await using place = await s3Place();
    await place.open().create();
    await using proxy = await FaultProxy.start(s3ServerUrl());
    const files = openAt(place, place.through(proxy.url));
    const ours = Buffer.from('ours');
    proxy.faults = [{ method: 'PUT', times: 1, effect: 'answer-lost' }];
    expect(await files.write('marker', ours, { ifNew: true })).toBe(true);
    expect(proxy.unused).toEqual([]);
    proxy.faults = [{ method: 'GET', times: 1, effect: 'truncated' }];
    expect(await files.read('marker')).toEqual(ours);
    expect(proxy.unused).toEqual([]);

    proxy.faults = [{ method: 'PUT', path: /theirs/, times: 1, effect: 'reset' }];
    const writing = files.write('theirs', ours, { ifNew: true });
    expect(await writing).toBe(true);
    expect(await files.write('theirs', ours, { ifNew: true })).toBe(false);
  });

  it('look first where the server does not know the condition', async () => {
    await using place = await s3Place();
    await place.open().create();
    await using proxy = await FaultProxy.start(s3ServerUrl());
    const files = openAt(place, place.through(proxy.url));
    proxy.faults = [{ method: 'PUT', times: 1, effect: { status: 501, code: 'NotImplemented' } }];
    expect(await files.write('marker', Buffer.from('1'), { ifNew: true })).toBe(true);
    expect(await files.write('marker', Buffer.from('2'), { ifNew: true })).toBe(false);
    expect(await files.read('marker')).toEqual(Buffer.from('1'));
  });

  it('tell no secret', async () => {
    await using place = await s3Place();
    const credentials = { ...place.credentials, secretAccessKey: 'not-the-secret' };
    const files = openAt(place, place.location, { credentials });
    const error: unknown = await files.read('marker').catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'storage-credentials-wrong', retry: false });
    for (const told of [error, files]) {
      expect(inspect(told, { depth: null, showHidden: true })).not.toMatch(/not-the-secret|Signature=/);
    }
  });
});
