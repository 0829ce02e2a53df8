import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sha256 } from '../../crypto/hash.ts';
import { describeBackendContract } from '../../testing/backend-contract.ts';
import { FaultProxy } from '../../testing/fault-proxy.ts';
import { s3Place, s3ServerUrl } from '../../testing/s3-place.ts';
import type { Backend, FileName } from '../backend.ts';
import { withRetries } from '../wrappers/retries.ts';
import { S3Backend } from './s3-backend.ts';
import { parseS3Location } from './s3-location.ts';

describeBackendContract('S3Backend', async () => {
  const place = await s3Place();
  return { backend: place.open(), [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
});

const mebibyte = 1024 * 1024;

async function saveBytes(backend: Backend, sizeBytes: number): Promise<{ file: FileName; bytes: Buffer }> {
  const bytes = randomBytes(sizeBytes);
  const file: FileName = { kind: 'data', id: sha256(bytes) };
  await backend.save(file, [bytes.subarray(0, 7), bytes.subarray(7)]);
  return { file, bytes };
}

describe('S3Backend', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('says that the secret key is wrong', async () => {
    await using place = await s3Place();
    await place.open().create();
    const credentials = { ...place.credentials, secretAccessKey: 'not-the-secret' };
    const backend = place.open({ credentials });
    const wrong = { code: 'storage-credentials-wrong', hint: expect.any(String), retry: false };
    await expect(backend.stat({ kind: 'config' })).rejects.toMatchObject(wrong);
    await expect(backend.list('snapshot')[Symbol.asyncIterator]().next()).rejects.toMatchObject(wrong);
    await expect(saveBytes(backend, 100)).rejects.toMatchObject(wrong);
    const unknown = { ...place.credentials, accessKeyId: 'NOBODY' };
    await expect(place.open({ credentials: unknown }).create()).resolves.toBeUndefined();
    await expect(place.open({ credentials: unknown }).load({ kind: 'config' })).rejects.toMatchObject(wrong);
  });

  it('tells no secret in its errors', async () => {
    await using place = await s3Place();
    const credentials = { ...place.credentials, secretAccessKey: 'not-the-secret' };
    const error: unknown = await place
      .open({ credentials })
      .load({ kind: 'config' })
      .catch((failure: unknown) => failure);
    const told = inspect(error, { depth: null, showHidden: true });
    expect(told).not.toContain('not-the-secret');
    expect(told).not.toContain('Signature=');
  });

  it('says that the bucket is missing, and makes it when it is created', async () => {
    await using place = await s3Place();
    const backend = place.open();
    const missing = { code: 'storage-bucket-missing', hint: expect.any(String), retry: false };
    await expect(backend.stat({ kind: 'config' })).rejects.toMatchObject(missing);
    await expect(backend.load({ kind: 'config' })).rejects.toMatchObject(missing);
    await expect(saveBytes(backend, 10)).rejects.toMatchObject(missing);
    await expect(backend.list('key')[Symbol.asyncIterator]().next()).rejects.toMatchObject(missing);
    await Promise.all([backend.create(), place.open().create()]);
    expect(await backend.stat({ kind: 'config' })).toBeUndefined();
  });

  it('says that nobody listens at the address', async () => {
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const place = parseS3Location('s3:http://127.0.0.1:1/bucket');
    const unreachable = { code: 'storage-unreachable', hint: expect.any(String), retry: true };
    const backend = new S3Backend(place, { credentials });
    await expect(backend.stat({ kind: 'config' })).rejects.toMatchObject(unreachable);
  });

  it('says that the server speaks no HTTPS', async () => {
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const place = parseS3Location(`s3:https://${s3ServerUrl().host}/bucket`);
    const wrong = { code: 'storage-unreachable', retry: false, hint: expect.stringContaining('s3:http:') };
    await expect(new S3Backend(place, { credentials }).load({ kind: 'config' })).rejects.toMatchObject(wrong);
  });

  it('works with a clock that is an hour off', async () => {
    await using place = await s3Place();
    await place.open().create();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    const retries: string[] = [];
    const onRetry = ({ error }: { error: { context: object } }): void =>
      void retries.push(JSON.stringify(error.context));
    const backend = withRetries(place.open(), { onRetry, sleep: async () => {} });
    const { file, bytes } = await saveBytes(backend, 100);
    expect(await backend.load(file)).toEqual(bytes);
    expect(retries).toEqual([expect.stringContaining('RequestTimeTooSkewed')]);
  });

  it('sends a large file in parts, and takes back those of one that fails', async () => {
    await using place = await s3Place();
    const operations: string[] = [];
    const onRequest = (operation: string): void => void operations.push(operation);
    const backend = place.open({ multipartBytes: 5 * mebibyte, onRequest });
    await backend.create();
    const { file, bytes } = await saveBytes(backend, 12 * mebibyte);
    expect(operations.filter((operation) => operation === 'UploadPart')).toHaveLength(3);
    expect((await backend.load(file))?.equals(bytes)).toBe(true);
    expect(await backend.stat(file)).toEqual({ sizeBytes: bytes.length });

    await using proxy = await FaultProxy.start(s3ServerUrl());
    proxy.faults = [{ method: 'PUT', path: /partNumber=2/, effect: { status: 500, code: 'InternalError' } }];
    const location = parseS3Location(place.through(proxy.url));
    const failing = new S3Backend(location, { credentials: place.credentials, multipartBytes: 5 * mebibyte });
    await expect(saveBytes(failing, 12 * mebibyte)).rejects.toMatchObject({ code: 'storage-unreachable' });
    expect(await backend.removeLeftovers(Date.now() + 60_000)).toBe(0);
  });

  it('removes the parts of uploads that were never finished, once they are old', async () => {
    await using place = await s3Place();
    await using proxy = await FaultProxy.start(s3ServerUrl());
    const backend = place.open();
    await backend.create();
    const unavailable = { status: 503, code: 'SlowDown' };
    proxy.faults = [
      { path: /partNumber=3/, effect: unavailable },
      { method: 'DELETE', effect: unavailable },
    ];
    const location = parseS3Location(place.through(proxy.url));
    const dying = new S3Backend(location, { credentials: place.credentials, multipartBytes: 5 * mebibyte });
    await expect(saveBytes(dying, 12 * mebibyte)).rejects.toMatchObject({ code: 'storage-unreachable' });
    expect(proxy.unused).toEqual([]);
    expect(await backend.removeLeftovers(Date.now() - 3_600_000)).toBe(0);
    expect(await backend.removeLeftovers(Date.now() + 60_000)).toBe(1);
    expect(await backend.removeLeftovers(Date.now() + 60_000)).toBe(0);
  });

  it('lists more files than one answer holds, and goes on behind one', async () => {
    await using place = await s3Place();
    const operations: string[] = [];
    const onRequest = (operation: string): void => void operations.push(operation);
    const backend = place.open({ onRequest, listedAtOnce: 10 });
    await backend.create();
    const saved = await Promise.all(Array.from({ length: 35 }, () => saveBytes(backend, 10)));
    const sorted = saved.flatMap(({ file }) => (file.kind === 'config' ? [] : [file.id])).sort();
    operations.length = 0;
    expect((await Array.fromAsync(backend.list('data'))).map(({ id }) => id)).toEqual(sorted);
    expect(operations).toEqual(Array.from({ length: 4 }, () => 'ListObjectsV2'));
    const behind = await Array.fromAsync(backend.list('data', { after: sorted[20] }));
    expect(behind.map(({ id }) => id)).toEqual(sorted.slice(21));
  });

  it('stops in the middle of a download', async () => {
    await using place = await s3Place();
    await using proxy = await FaultProxy.start(s3ServerUrl());
    await place.open().create();
    const { file } = await saveBytes(place.open(), mebibyte);
    proxy.faults = [{ method: 'GET', effect: 'hang-midway' }];
    const backend = new S3Backend(parseS3Location(place.through(proxy.url)), place);
    const controller = new AbortController();
    const loading = backend.load(file, { signal: controller.signal, pace: async () => controller.abort() });
    await expect(loading).rejects.toMatchObject({ code: 'interrupted' });
  });
});
