import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '@holdfast/base';
import { type Right, type Route, serverFileSchema } from '@holdfast/protocol';
import type { InjectOptions } from 'fastify';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createHttpServer } from './create-http-server.ts';

const noteSchema = z.object({ text: z.string() });

const table = {
  'server.health': {
    method: 'GET',
    path: '/healthz',
    right: null,
    summary: 'Health',
    status: 200,
    response: noteSchema,
  },
  'note.create': {
    method: 'POST',
    path: '/notes/{note}',
    right: 'backup:create',
    summary: 'A note',
    params: z.object({ note: z.string().max(5) }),
    query: z.object({ limit: z.coerce.number().int().min(1).optional() }),
    body: z.object({
      text: z.string().max(10).optional(),
      deep: z.object({ list: z.array(z.int()) }).optional(),
    }),
    status: 202,
    response: noteSchema,
  },
  'note.watch': {
    method: 'GET',
    path: '/notes',
    right: 'job:read',
    summary: 'Notes as they come',
    status: 200,
    response: noteSchema,
    streams: true,
  },
} satisfies Record<string, Route>;

interface Given {
  readonly routes?: Record<string, Route>;
  readonly rights?: readonly Right[];
  readonly isLoopbackOnly?: boolean;
  readonly create?: (call: unknown) => Promise<unknown>;
  readonly watch?: (signal: AbortSignal) => AsyncIterable<unknown>;
}

async function serve(given: Given = {}) {
  const lines: string[] = [];
  const handlers: Record<string, unknown> = {
    'server.health': async () => ({ text: 'ok' }),
    'note.create': given.create ?? (async () => ({ text: 'made', secret: 'not of the response' })),
    'note.watch': async ({ signal }: { signal: AbortSignal }) =>
      given.watch?.(signal) ?? (async function* () {})(),
  };
  const app = await createHttpServer({
    handlers: handlers as never,
    routes: given.routes ?? table,
    authenticate: async (token) =>
      token === 'good'
        ? { name: 'tester', rights: given.rights ?? ['backup:create', 'job:read'] }
        : undefined,
    version: '0.0.0',
    isLoopbackOnly: given.isLoopbackOnly ?? false,
    log: pino({ level: 'debug' }, { write: (line: string) => lines.push(line) }),
  });
  return {
    app,
    lines,
    [Symbol.asyncDispose]: async () => await app.close(),
    inject: async (options: object) =>
      await app.inject({ headers: { authorization: 'Bearer good' }, ...options }),
  };
}

const create = { method: 'POST', url: '/api/v1/notes/a' } as const;

test.each([
  [
    'a right',
    { ...table, 'note.create': { ...table['note.create'], right: null } },
    /note.create names no right/,
  ],
  ['a handler', { ...table, 'note.other': table['note.create'] }, /note.other has no handler/],
])('does not start with a route that lacks %s', async (_, routes, message) => {
  await expect(serve({ routes })).rejects.toThrow(message);
});

test('health needs no token, at the root and below the prefix', async () => {
  await using server = await serve();
  for (const url of ['/healthz', '/api/v1/healthz']) {
    const answer = await server.app.inject({ url });
    expect([answer.statusCode, answer.json()]).toEqual([200, { text: 'ok' }]);
  }
});

test.each([
  [{}],
  [{ authorization: 'Bearer bad' }],
  [{ authorization: 'Basic good' }],
  [{ authorization: 'good' }],
])('answers 401 to %j, also where there is no route', async (headers) => {
  await using server = await serve();
  for (const url of ['/api/v1/notes', '/api/v1/nothing', '/']) {
    const answer = await server.app.inject({ url, headers });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ code: 'unauthenticated', hint: expect.any(String) });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  }
});

test('answers 403 to a token without the right, before it reads the body', async () => {
  await using server = await serve({ rights: ['job:read'] });
  const answer = await server.inject({
    ...create,
    payload: '{not json',
    headers: { authorization: 'Bearer good' },
  });
  expect(answer.statusCode).toBe(403);
  expect(answer.json()).toMatchObject({ code: 'right-missing', details: { right: 'backup:create' } });
});

test('answers with the status and the fields of the route, and nothing else', async () => {
  await using server = await serve();
  const answer = await server.inject({ ...create, payload: { text: 'x' } });
  expect([answer.statusCode, answer.json()]).toEqual([202, { text: 'made' }]);
  expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
});

test('no body asks for what an empty object asks for', async () => {
  await using server = await serve({ create: async (call) => ({ text: JSON.stringify(call) }) });
  const answer = await server.inject({ ...create, url: `${create.url}?limit=7` });
  expect(JSON.parse(answer.json().text)).toMatchObject({
    body: {},
    params: { note: 'a' },
    query: { limit: 7 },
  });
});

test.each([
  ['a long parameter', { url: '/api/v1/notes/abcdef' }, 400, /^params.note: /],
  ['a wrong query', { url: '/api/v1/notes/a?limit=0' }, 400, /^query.limit: /],
  ['a wrong field', { payload: { deep: { list: [1, 'x'] } } }, 400, /^body.deep.list.1: /],
  ['an array', { payload: [] }, 400, /^body: /],
  ['broken JSON', { payload: '{"a', headers: { 'content-type': 'application/json' } }, 400, /JSON/],
  ['another type', { payload: 'a=b', headers: { 'content-type': 'text/xml' } }, 415, /Media Type/],
  ['too much', { payload: { text: 'x'.repeat(2 ** 20) } }, 413, /too large/],
])('refuses %s with a code and where it is wrong', async (_, options: InjectOptions, status, message) => {
  await using server = await serve();
  const headers = { authorization: 'Bearer good', ...options.headers };
  const answer = await server.inject({ ...create, ...options, headers });
  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toMatchObject({ code: 'usage-invalid', message: expect.stringMatching(message) });
});

test('there is no such route', async () => {
  await using server = await serve();
  for (const [method, url] of [
    ['GET', '/api/v1/nothing'],
    ['DELETE', '/api/v1/notes'],
    ['GET', '/../../etc/passwd'],
  ]) {
    const answer = await server.inject({ method, url });
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'route-unknown']);
  }
});

test.each([
  ['usage-invalid', 400],
  ['environment-ambiguous', 400],
  ['right-missing', 403],
  ['backup-unknown', 404],
  ['environment-busy', 409],
  ['docker-unreachable', 502],
  ['catalog-unreachable', 503],
  ['storage-full', 507],
  ['mover-failed', 500],
] as const)('a failure with %s has the status %d, with message, hint and details', async (code, status) => {
  await using server = await serve({
    create: async () => {
      throw new HoldfastError(code, 'It failed.', { hint: 'Do this.', context: { a: 1 } });
    },
  });
  const answer = await server.inject(create);
  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toEqual({ code, message: 'It failed.', hint: 'Do this.', details: { a: 1 } });
});

test('of what was not foreseen, the client sees where the log tells of it, and nothing more', async () => {
  await using server = await serve({
    create: async () => {
      throw new TypeError('secret detail');
    },
  });
  const answer = await server.inject(create);
  expect(answer.statusCode).toBe(500);
  expect(answer.json()).toMatchObject({ code: 'internal', message: 'The server failed unexpectedly.' });
  expect(answer.body).not.toMatch(/secret detail|\.ts\b|\bat \S+ \(/);
  const requestId = /request (\w+)/.exec(answer.json().hint)?.[1];
  expect(
    server.lines.filter((line) => line.includes('secret detail') && line.includes(`${requestId}`)),
  ).toHaveLength(1);
});

test('an answer that is not as the route says is a defect, not a surprise for the client', async () => {
  await using server = await serve({ create: async () => ({ wrong: true }) });
  const answer = await server.inject(create);
  expect([answer.statusCode, answer.json().code]).toEqual([500, 'internal']);
});

test('no token reaches the log', async () => {
  await using server = await serve();
  await server.inject({ ...create, payload: { text: 'x' } });
  await server.app.inject({ url: '/api/v1/notes', headers: { authorization: 'Bearer bad-token' } });
  expect(server.lines.length).toBeGreaterThan(1);
  expect(server.lines.join('')).not.toMatch(/Bearer|bad-token|good/);
});

test('on loopback, only names of loopback are answered', async () => {
  await using server = await serve({ isLoopbackOnly: true });
  const statusOf = async (host: string) =>
    (await server.app.inject({ url: '/healthz', headers: { host } })).statusCode;
  for (const host of ['localhost', 'LOCALHOST:8420', '127.0.0.1:80', '127.9.9.9', '[::1]:8420']) {
    expect(await statusOf(host)).toBe(200);
  }
  for (const host of [
    'example.org',
    'localhost.example.org:8420',
    '127.0.0.1.example.org',
    '[::2]',
    '10.0.0.1',
  ]) {
    expect(await statusOf(host)).toBe(403);
  }
  await using open = await serve();
  expect((await open.app.inject({ url: '/healthz', headers: { host: 'example.org' } })).statusCode).toBe(200);
});

async function listen(server: Awaited<ReturnType<typeof serve>>): Promise<string> {
  const address = await server.app.listen({ host: '127.0.0.1', port: 0 });
  return serverFileSchema.shape.url.parse(address);
}

const watch = { headers: { authorization: 'Bearer good' } };

test('events arrive one by one as they come, and the stream ends with them', async () => {
  const { promise: isSeen, resolve: seen } = Promise.withResolvers<void>();
  await using server = await serve({
    watch: async function* () {
      yield { text: 'one\ntwo' };
      await isSeen;
      yield { text: 'three' };
    },
  });
  const response = await fetch(`${await listen(server)}/api/v1/notes`, watch);
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += Buffer.from(bytes).toString();
    seen();
  }
  expect(text).toBe('data: {"text":"one\\ntwo"}\n\ndata: {"text":"three"}\n\n');
});

test('a client that leaves ends the work for it', async () => {
  const { promise: isOver, resolve: over } = Promise.withResolvers<boolean>();
  await using server = await serve({
    watch: async function* (signal) {
      try {
        for (let count = 0; ; count += 1) {
          yield { text: `${count}` };
          await delay(5, undefined, { signal });
        }
      } finally {
        over(signal.aborted);
      }
    },
  });
  const leaving = new AbortController();
  const response = await fetch(`${await listen(server)}/api/v1/notes`, { ...watch, signal: leaving.signal });
  await response.body?.getReader().read();
  leaving.abort();
  expect(await isOver).toBe(true);
});

test('a client that does not read is waited for, with little in memory', async () => {
  let sent = 0;
  await using server = await serve({
    watch: async function* () {
      for (; sent < 10_000; sent += 1) yield { text: 'x'.repeat(10_000) };
    },
  });
  const leaving = new AbortController();
  await fetch(`${await listen(server)}/api/v1/notes`, { ...watch, signal: leaving.signal });
  await delay(500);
  const before = sent;
  await delay(200);
  expect(sent).toBe(before);
  expect(sent).toBeLessThan(5000);
  leaving.abort();
});

test('closing the server ends the streams', async () => {
  await using server = await serve({
    watch: async function* (signal) {
      yield { text: 'first' };
      await delay(600_000, undefined, { signal });
    },
  });
  const response = await fetch(`${await listen(server)}/api/v1/notes`, watch);
  const text = response.text();
  await delay(50);
  await server.app.close();
  expect(await text).toBe('data: {"text":"first"}\n\n');
});
