import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type FetchRequest, fetchUrl } from './fetch-url.ts';

const content = randomBytes(300_000);
const halfBytes = 150_000;

/** Nothing but this one loopback address may be connected to: it stands for the public Internet. */
const allowedRanges = ['127.0.0.1/32'];
const limits = {
  bytes: 1_000_000,
  durationMs: 60_000,
  rate: { windowMs: 60_000, leastBytes: 1 },
  attempts: 3,
  firstDelayMs: 1,
};

interface Site extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly IncomingMessage[];
}

async function site(answer: RequestListener, address = '127.0.0.1'): Promise<Site> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${address}:${port}/file?signature=secret`,
    port,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function fetchTo(
  request: Partial<FetchRequest> & { readonly url: string },
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-fetch-'));
  const path = join(folder, 'file');
  try {
    const bytes = await fetchUrl({ limits, allowedRanges, path, ...request });
    return { bytes, sha256: hashOf(await readFile(path)) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const whole = { bytes: content.length, sha256: hashOf(content) };

/** Sends the first half, and breaks off. */
function breakOff(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  response.writeHead(200, { 'content-length': content.length, ...headers });
  response.write(content.subarray(0, halfBytes), () => response.destroy());
}

function sendRest(request: IncomingMessage, response: ServerResponse): void {
  const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]);
  response.writeHead(206, { 'content-range': `bytes ${first}-${content.length - 1}/${content.length}` });
  response.end(content.subarray(first));
}

it('takes what is there, as it is stored there', async () => {
  await using there = await site((_, response) => response.end(content));
  expect(await fetchTo(there)).toEqual(whole);
  expect(there.requests[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
});

it.each([
  ['a strong tag', { etag: '"one"' }, '"one"'],
  [
    'a date',
    { etag: 'W/"one"', 'last-modified': 'Sat, 21 Nov 2026 10:00:00 GMT' },
    'Sat, 21 Nov 2026 10:00:00 GMT',
  ],
])('resumes what broke off by %s', async (_, headers, validator) => {
  await using there = await site((request, response) =>
    there.requests.length === 1 ? breakOff(response, headers) : sendRest(request, response),
  );
  const retries: string[] = [];
  expect(await fetchTo({ url: there.url, onRetry: ({ code }) => retries.push(code) })).toEqual(whole);
  expect(retries).toEqual(['url-failed']);
  expect(there.requests[1]?.headers['if-range']).toBe(validator);
  expect(there.requests[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
});

it('begins anew where nothing permits to resume', async () => {
  await using there = await site((_, response) =>
    there.requests.length === 1 ? breakOff(response, { etag: 'W/"one"' }) : response.end(content),
  );
  expect(await fetchTo(there)).toEqual(whole);
  expect(there.requests[1]?.headers.range).toBeUndefined();
});

it('begins anew where the file is another by now', async () => {
  const other = randomBytes(1000);
  await using there = await site((_, response) =>
    there.requests.length === 1 ? breakOff(response, { etag: '"one"' }) : response.end(other),
  );
  expect(await fetchTo(there)).toEqual({ bytes: other.length, sha256: hashOf(other) });
});

it('never joins parts of two files', async () => {
  await using there = await site((request, response) => {
    if (there.requests.length === 1) return breakOff(response, { etag: '"one"' });
    if (request.headers.range === undefined) return void response.end(content);
    response.writeHead(206, { 'content-range': `bytes 7-${content.length - 1}/${content.length}` });
    response.end(content.subarray(7));
  });
  expect(await fetchTo(there)).toEqual(whole);
  expect(there.requests).toHaveLength(3);
});

it('fails once it broke off too often', async () => {
  await using there = await site((_, response) => breakOff(response, {}));
  await expect(fetchTo(there)).rejects.toMatchObject({ code: 'url-failed' });
  expect(there.requests).toHaveLength(3);
});

it('does not take less than was announced for all of it', async () => {
  await using there = await site((request, response) => {
    response.writeHead(206, { 'content-range': `bytes 0-9/10` });
    response.end(request.url);
  });
  await expect(fetchTo(there)).rejects.toMatchObject({ code: 'url-failed' });
  await using short = await site((_, response) => {
    response.writeHead(200, { 'content-length': content.length, etag: '"one"' });
    response.write(content.subarray(0, 10), () => response.socket?.end());
  });
  await expect(fetchTo(short)).rejects.toMatchObject({ code: 'url-failed' });
});

it('tries a busy server again, and a missing file not', async () => {
  await using busy = await site((_, response) => {
    if (busy.requests.length === 1) response.statusCode = 503;
    response.end(busy.requests.length === 1 ? '' : content);
  });
  expect(await fetchTo(busy)).toEqual(whole);
  await using gone = await site((_, response) => void response.writeHead(404).end('not here'));
  await expect(fetchTo(gone)).rejects.toMatchObject({ code: 'url-failed', context: { status: 404 } });
  expect(gone.requests).toHaveLength(1);
});

it('ends what comes in drops', async () => {
  await using slow = await site((_, response) => {
    const timer = setInterval(() => response.write('x'), 5);
    response.on('close', () => clearInterval(timer));
  });
  const rate = { windowMs: 100, leastBytes: 10_000 };
  await expect(fetchTo({ url: slow.url, limits: { ...limits, rate } })).rejects.toMatchObject({
    code: 'url-limit-reached',
  });
  expect(slow.requests).toHaveLength(1);
});

it('ends what never begins, and what never ends', async () => {
  await using silent = await site(() => {});
  const rate = { windowMs: 50, leastBytes: 1 };
  await expect(fetchTo({ url: silent.url, limits: { ...limits, rate } })).rejects.toMatchObject({
    code: 'url-limit-reached',
  });
  await using late = await site((_, response) => void response.write(content));
  await expect(fetchTo({ url: late.url, limits: { ...limits, durationMs: 200 } })).rejects.toMatchObject({
    code: 'url-limit-reached',
  });
});

it('ends a body that is too large, announced or not', async () => {
  await using endless = await site((_, response) => {
    const more = (): void => void response.write(content, () => setImmediate(more));
    more();
    response.on('error', () => {});
  });
  await expect(fetchTo(endless)).rejects.toMatchObject({ code: 'url-limit-reached' });
  await using announced = await site((_, response) => {
    response.writeHead(200, { 'content-length': 2_000_000 });
    response.flushHeaders();
  });
  await expect(fetchTo(announced)).rejects.toMatchObject({ code: 'url-limit-reached' });
});

it('follows redirects, and checks each', async () => {
  await using there = await site((_, response) => response.end(content));
  await using forbidden = await site((_, response) => response.end(content), '127.0.0.2');
  const redirectTo = (location: string): RequestListener => {
    return (_, response) => void response.writeHead(302, { location }).end();
  };
  await using good = await site(redirectTo(there.url));
  expect(await fetchTo(good)).toEqual(whole);
  for (const location of [
    forbidden.url,
    `http://[::ffff:127.0.0.2]:${forbidden.port}/`,
    `http://0x7f000002:${forbidden.port}/`,
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
    'ftp://127.0.0.1/file',
    'http://',
  ]) {
    await using bad = await site(redirectTo(location));
    await expect(fetchTo(bad), location).rejects.toMatchObject({ code: 'url-refused' });
  }
  expect(forbidden.requests).toHaveLength(0);
  await using circle = await site((_, response) => void response.writeHead(302, { location: '/' }).end());
  await expect(fetchTo(circle)).rejects.toMatchObject({ code: 'url-refused' });
  expect(circle.requests).toHaveLength(6);
});

it.each([
  'file:///etc/passwd',
  'ftp://example.test/file',
  'gopher://127.0.0.1/',
  'data:text/plain,x',
  'example.test/file',
  '',
])('refuses %j', async (url) => {
  await expect(fetchTo({ url })).rejects.toMatchObject({ code: 'url-refused' });
});

it('refuses loopback in every spelling', async () => {
  await using there = await site((_, response) => response.end(content));
  const { port } = there;
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0177.0.0.1',
    '0x7f.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    'localhost',
    '0.0.0.0',
  ]) {
    const fetching = fetchTo({ url: `http://${host}:${port}/`, allowedRanges: [] });
    await expect(fetching, host).rejects.toMatchObject({ code: 'url-refused' });
  }
  expect(there.requests).toHaveLength(0);
});

it('connects to the address that was checked, and checks again each time', async () => {
  await using there = await site((_, response) => breakOff(response, { etag: '"one"' }));
  await using forbidden = await site((_, response) => response.end(content), '127.0.0.2');
  const url = `http://files.example.test:${there.port}/`;
  const answers = [['127.0.0.1'], ['127.0.0.2']];
  const resolveName = async (): Promise<readonly string[]> => answers.shift() ?? [];
  await expect(fetchTo({ url, resolveName })).rejects.toMatchObject({
    code: 'url-refused',
    context: { host: 'files.example.test', address: '127.0.0.2' },
  });
  expect(there.requests).toHaveLength(1);
  expect(there.requests[0]?.headers.host).toBe(`files.example.test:${there.port}`);
  expect(forbidden.requests).toHaveLength(0);
  const mixed = fetchTo({ url, resolveName: async () => ['127.0.0.1', '10.0.0.1'] });
  await expect(mixed).rejects.toMatchObject({ code: 'url-refused' });
});

it('says nothing of what may be secret in a URL', async () => {
  await using there = await site((_, response) => void response.writeHead(403).end());
  const url = there.url.replace('http://', 'http://user:password@');
  const error = await fetchTo({ url }).catch((thrown: unknown) => thrown);
  expect(there.requests[0]?.headers.authorization).toMatch(/^Basic /);
  expect(JSON.stringify(error) + String(error)).not.toMatch(/secret|password|user|signature/);
});

it('a name that nobody knows fails', async () => {
  const resolveName = async (): Promise<never> => {
    throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
  };
  await expect(fetchTo({ url: 'https://nowhere.test/', resolveName })).rejects.toMatchObject({
    code: 'url-failed',
    context: { systemError: 'ENOTFOUND' },
  });
});

it('is interrupted at once', async () => {
  await using there = await site((_, response) => void response.write(content));
  const abort = new AbortController();
  const fetching = fetchTo({ url: there.url, signal: abort.signal, onProgress: () => abort.abort() });
  await expect(fetching).rejects.toMatchObject({ code: 'interrupted' });
});
