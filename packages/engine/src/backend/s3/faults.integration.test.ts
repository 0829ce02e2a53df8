import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../crypto/hash.ts';
import { FaultProxy, type ProxyEffect } from '../../testing/fault-proxy.ts';
import { type S3Place, s3Place, s3ServerUrl } from '../../testing/s3-place.ts';
import type { Backend, FileName } from '../backend.ts';
import { openBackend } from '../open-backend.ts';

const passing: readonly (readonly [string, ProxyEffect])[] = [
  ['500', { status: 500, code: 'InternalError' }],
  ['503 SlowDown', { status: 503, code: 'SlowDown' }],
  ['a reset', 'reset'],
  ['no answer', 'hang'],
  ['an answer that stops midway', 'hang-midway'],
  ['an answer that is cut off', 'truncated'],
];

interface Faulty extends AsyncDisposable {
  readonly place: S3Place;
  readonly proxy: FaultProxy;
  /** As a user gets it, through the proxy; it does not wait between attempts. */
  readonly backend: Backend;
  readonly delays: number[];
}

async function faulty(): Promise<Faulty> {
  const place = await s3Place();
  await place.open().create();
  const proxy = await FaultProxy.start(s3ServerUrl());
  const delays: number[] = [];
  const backend = openBackend(place.through(proxy.url), {
    s3: { credentials: place.credentials, idleTimeoutMs: 150 },
    retries: { maxAttempts: 4, maxFirstAttempts: 4, sleep: async (ms) => void delays.push(ms) },
  });
  return {
    place,
    proxy,
    backend,
    delays,
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

const bytes = randomBytes(300_000);
const file: FileName = { kind: 'data', id: sha256(bytes) };

describe('a bucket behind a network that fails', () => {
  it.each(passing)('gets through %s that passes', async (_, effect) => {
    await using bed = await faulty();
    const { backend, proxy, delays } = bed;
    proxy.faults = [{ times: 2, effect }];
    await backend.save(file, [bytes.subarray(0, 5), bytes.subarray(5)]);
    for (const method of ['load', 'loadRange', 'stat', 'list', 'remove'] as const) {
      proxy.faults = [{ times: 2, effect: effect === 'hang-midway' && method !== 'load' ? 'hang' : effect }];
      await checkCall(backend, method);
      // Half of nothing, the body of some answers, is all of it.
      if (effect !== 'truncated') expect([method, proxy.unused]).toEqual([method, []]);
    }
    expect(delays.length).toBeGreaterThan(0);
  });

  it.each(passing)('gives up on %s that lasts, after so many attempts', async (_, effect) => {
    await using bed = await faulty();
    const { backend, proxy, delays, place } = bed;
    await backend.save(file, [bytes]);
    proxy.faults = [{ effect }];
    proxy.requests.length = 0;
    const unreachable = { code: 'storage-unreachable', hint: expect.any(String), context: { attempts: 4 } };
    await expect(backend.load(file)).rejects.toMatchObject(unreachable);
    expect(proxy.requests).toHaveLength(4);
    expect(delays).toHaveLength(3);
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
    const other = randomBytes(100_000);
    const saving = backend.save({ kind: 'data', id: sha256(other) }, [other]);
    // The answer to a save has no body that could be cut off.
    if (effect !== 'truncated' && effect !== 'hang-midway')
      await expect(saving).rejects.toMatchObject(unreachable);
    await saving.catch(() => {});
    proxy.faults = [];
    expect(await place.open().load(file)).toEqual(bytes);
    for await (const { id } of place.open().list('data')) {
      expect(sha256((await place.open().load({ kind: 'data', id })) ?? Buffer.of())).toBe(id);
    }
  });

  it.each([
    [403, 'AccessDenied', 'storage-unreachable', 'storage-not-writable'],
    [403, 'InvalidAccessKeyId', 'storage-credentials-wrong', 'storage-credentials-wrong'],
    [404, 'NoSuchBucket', 'storage-bucket-missing', 'storage-bucket-missing'],
    [403, 'QuotaExceeded', 'storage-full', 'storage-full'],
    [400, 'AuthorizationHeaderMalformed', 'storage-unreachable', 'storage-unreachable'],
  ])('asks once when the answer is %i %s', async (status, code, whenReading, whenWriting) => {
    await using bed = await faulty();
    const { backend, proxy } = bed;
    proxy.faults = [{ effect: { status, code } }];
    const told = { hint: expect.any(String), retry: false };
    await expect(backend.load(file)).rejects.toMatchObject({ ...told, code: whenReading });
    await expect(backend.save(file, [bytes])).rejects.toMatchObject({ ...told, code: whenWriting });
    expect(proxy.requests).toHaveLength(2);
  });

  it('has the server refuse bytes that changed on the way, and sends them again', async () => {
    await using bed = await faulty();
    const { backend, proxy, place } = bed;
    proxy.faults = [{ method: 'PUT', times: 1, effect: 'flipped-request' }];
    await backend.save(file, [bytes]);
    expect(proxy.unused).toEqual([]);
    expect(proxy.requests.filter(({ method }) => method === 'PUT')).toHaveLength(2);
    expect(await place.open().load(file)).toEqual(bytes);
  });

  it('reads a whole file again when a byte changed on the way', async () => {
    await using bed = await faulty();
    const { backend, proxy } = bed;
    await backend.save(file, [bytes]);
    proxy.faults = [{ method: 'GET', times: 1, effect: 'flipped' }];
    expect(await backend.load(file)).toEqual(bytes);
    expect(proxy.unused).toEqual([]);
  });

  it('takes its own config for its own when the answer to writing it was lost', async () => {
    await using bed = await faulty();
    const { backend, proxy, place } = bed;
    proxy.faults = [{ method: 'PUT', times: 1, effect: 'truncated' }];
    await backend.save({ kind: 'config' }, [Buffer.from('ours')]);
    expect(await place.open().load({ kind: 'config' })).toEqual(Buffer.from('ours'));
    await expect(backend.save({ kind: 'config' }, [Buffer.from('other')])).rejects.toMatchObject({
      code: 'repository-exists',
    });
  });
});

async function checkCall(
  backend: Backend,
  method: 'load' | 'loadRange' | 'stat' | 'list' | 'remove',
): Promise<void> {
  switch (method) {
    case 'load':
      expect(await backend.load(file)).toEqual(bytes);
      break;
    case 'loadRange':
      expect(await backend.loadRange(file, { offset: 10, length: 200_000 })).toEqual(
        bytes.subarray(10, 200_010),
      );
      break;
    case 'stat':
      expect(await backend.stat(file)).toEqual({ sizeBytes: bytes.length });
      break;
    case 'list':
      if (file.kind === 'config') break;
      expect((await Array.fromAsync(backend.list('data'))).map(({ id }) => id)).toContain(file.id);
      break;
    case 'remove':
      await backend.remove(file);
      expect(await backend.stat(file)).toBeUndefined();
  }
}
