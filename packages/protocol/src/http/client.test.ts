import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiError, createClient } from './client.ts';
import { serverSentEvents } from './server-sent-events.ts';

let server: Server;
let url: string;
const seen: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    if (request.url?.startsWith('/api/v1/backups?') === true) {
      response.end(JSON.stringify({ backups: [], next: null }));
    } else if (request.url === '/api/v1/environments/a%2Fb') {
      response.statusCode = 404;
      response.end(JSON.stringify({ code: 'environment-unknown', message: 'No such.', hint: 'List them.' }));
    } else {
      response.statusCode = 502;
      response.end('<html>');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
});

describe('createClient', () => {
  it('fills in path and query and sends the token', async () => {
    const client = createClient({ url, token: 't0' });
    const page = await client.call('backup.list', { query: { environment: 'shop & co', limit: 5 } });
    expect(page).toEqual({ backups: [], next: null });
    expect(seen.at(-1)).toBe('GET /api/v1/backups?environment=shop+%26+co&limit=5 Bearer t0');
  });

  it('passes the server’s error on', async () => {
    const client = createClient({ url, token: 't0' });
    const failure = client.call('environment.get', { params: { environment: 'a/b' } });
    await expect(failure).rejects.toBeInstanceOf(ApiError);
    await expect(failure).rejects.toMatchObject({ status: 404, report: { code: 'environment-unknown' } });
  });

  it('says so when something else than the API answers', async () => {
    const client = createClient({ url, token: 't0' });
    await expect(client.call('vault.list', {})).rejects.toMatchObject({
      status: 502,
      report: { code: 'internal' },
    });
  });
});

describe('serverSentEvents', () => {
  const read = async (...pieces: string[]): Promise<string[]> => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
        controller.close();
      },
    });
    const events: string[] = [];
    for await (const data of serverSentEvents(body)) events.push(data);
    return events;
  };

  it('joins pieces and lines, and passes over comments', async () => {
    expect(await read(': hello\n\nda', 'ta: {"a":', '1}\n\n', 'event: x\ndata: b\ndata:c\r\n\r\n')).toEqual([
      '{"a":1}',
      'b\nc',
    ]);
  });

  it('drops an event that was cut off', async () => {
    expect(await read('data: a\n\ndata: b')).toEqual(['a']);
  });

  it('refuses a line without end', async () => {
    await expect(read('data: '.padEnd(5 * 1024 * 1024, 'x'))).rejects.toThrow(RangeError);
  });
});
