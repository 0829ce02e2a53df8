import { expect, it } from 'vitest';
import { FaultProxy } from '../../testing/fault-proxy.ts';
import type { Backend, FileName } from '../backend.ts';
import { openBackend } from '../open-backend.ts';

const file: FileName = { kind: 'data', id: '0'.repeat(64) };
const calls: readonly (readonly [string, (backend: Backend) => Promise<unknown>])[] = [
  ['save', (backend) => backend.save(file, [Buffer.from('contents')])],
  ['load', (backend) => backend.load(file)],
  ['range', (backend) => backend.loadRange(file, { offset: 0, length: 1 })],
  ['stat', (backend) => backend.stat(file)],
  ['remove', (backend) => backend.remove(file)],
  ['list', async (backend) => await Array.fromAsync(backend.list('data'))],
];

/** A server that answers whatever it is asked so; nobody is behind it. */
async function answering(status: number, code: string): Promise<FaultProxy> {
  const server = await FaultProxy.start(new URL('http://127.0.0.1:9/'));
  server.faults = [{ effect: { status, code } }];
  return server;
}

function open(server: FaultProxy): Backend {
  const credentials = { accessKeyId: 'an-id', secretAccessKey: 'a-secret' };
  const retries = { maxAttempts: 3, maxFirstAttempts: 3, sleep: async () => {} };
  return openBackend(`s3:${server.url}bucket/folder`, { s3: { credentials }, retries });
}

it.each([
  [400, 'ExpiredToken'],
  [403, 'ExpiredToken'],
  [400, 'ExpiredTokenException'],
  [400, 'InvalidToken'],
  [400, 'TokenRefreshRequired'],
  [403, 'InvalidAccessKeyId'],
  [401, 'Unauthorized'],
])(
  'credentials that %i %s says are no longer good are told by every call, and tried once',
  async (status, code) => {
    await using server = await answering(status, code);
    const backend = open(server);
    for (const [name, call] of calls) {
      server.requests.length = 0;
      const told = { code: 'storage-credentials-wrong', retry: false, hint: expect.any(String) };
      await expect([name, await call(backend).catch((error: unknown) => error)]).toMatchObject([name, told]);
      // The answer to HEAD says nothing: GET asks what is wrong.
      expect([name, server.requests.filter(({ method }) => method !== 'HEAD').length]).toEqual([name, 1]);
    }
  },
);

it('a clock that is wrong is not taken for a wrong key: it may come right', async () => {
  await using server = await answering(403, 'RequestTimeTooSkewed');
  const told = { code: 'storage-unreachable', retry: true, message: expect.stringContaining('time') };
  await expect(open(server).load(file)).rejects.toMatchObject(told);
  expect(server.requests).toHaveLength(3);
});
