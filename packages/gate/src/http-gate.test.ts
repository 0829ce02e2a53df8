import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Gate } from './gate.ts';
import { HttpGate } from './http-gate.ts';
import { App, portOf } from './testing/app.ts';

const long = { limitMs: 60_000, drainMs: 60_000 };

let app: App;
let gate: Gate;
let front: HttpGate;
let agent: Agent;

beforeEach(async () => {
  agent = new Agent({ keepAlive: true });
  app = await App.start((incoming, response) => {
    if (incoming.url === '/never') return;
    if (incoming.url === '/die') {
      incoming.socket.destroy();
      return;
    }
    if (incoming.url === '/half') {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('half', () => incoming.socket.destroy());
      return;
    }
    if (incoming.url === '/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: one\n\n');
      return;
    }
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    incoming.on('end', () => response.end(`${incoming.method} ${incoming.url} ${bytes}`));
  });
  app.server.on('upgrade', (incoming, socket) => {
    app.seen.push(`UPGRADE ${incoming.url}`);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.pipe(socket);
  });
  await stand(new Gate({ waiting: 4, waitingBytes: 1_000_000 }));
});

afterEach(async () => {
  gate.release('stopped');
  agent.destroy();
  front.close();
  front.server.closeAllConnections();
  await app[Symbol.asyncDispose]();
});

async function stand(before: Gate): Promise<void> {
  gate = before;
  front = new HttpGate({ gate, target: app.url });
  await new Promise<void>((resolve) => front.server.listen(0, '127.0.0.1', resolve));
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

async function ask(path: string, options: RequestOptions & { readonly body?: Buffer } = {}): Promise<Answer> {
  const { body, ...others } = options;
  return await new Promise((resolve, reject) => {
    const asking = request(
      { host: '127.0.0.1', port: portOf(front.server), path, agent, ...others },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const { statusCode: status = 0, headers } = answer;
          resolve({ status, headers, text: Buffer.concat(chunks).toString() });
        });
      },
    );
    asking.on('error', reject);
    asking.end(body);
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

describe('a gate before a web app', () => {
  it('passes on methods, headers and bodies, on connections that stay', async () => {
    expect((await ask('/a?b=c')).text).toBe('GET /a?b=c 0');
    const body = Buffer.alloc(300_000, 'x');
    expect((await ask('/upload', { method: 'POST', body })).text).toBe('POST /upload 300000');
    expect(app.connections.size).toBe(1);
    const chunked = { method: 'PUT', headers: { 'Transfer-Encoding': 'chunked' }, body };
    expect((await ask('/chunked', chunked)).text).toBe('PUT /chunked 300000');
    expect(gate.status.inFlight).toBe(0);
  });

  it('lets requests wait while it holds: none is lost, and none reaches the app', async () => {
    await ask('/before');
    const hold = gate.hold(long);
    expect(await hold.drained).toBe(0);
    const body = Buffer.alloc(500_000, 'x');
    const asked = [ask('/one'), ask('/two', { method: 'POST', body }), ask('/three')];
    await until(() => gate.status.waiting === 3);
    expect(app.seen).toEqual(['GET /before']);
    gate.release('told');
    expect((await Promise.all(asked)).map(({ text }) => text)).toEqual([
      'GET /one 0',
      'POST /two 500000',
      'GET /three 0',
    ]);
    expect(await hold.released).toMatchObject({ heldRequests: 3, refusedRequests: 0 });
  });

  it('waits for requests in flight, and not for streams of events nor for what was upgraded', async () => {
    const events = await new Promise<IncomingMessage>((resolve) => {
      request({ host: '127.0.0.1', port: portOf(front.server), path: '/events' }, resolve).end();
    });
    const socket = await upgrade('/socket');
    await until(() => gate.status.inFlight === 0);
    const never = ask('/never').catch(() => undefined);
    await until(() => gate.status.inFlight === 1);
    const hold = gate.hold({ ...long, drainMs: 50 });
    expect(await hold.drained).toBe(1);
    gate.release('told');
    events.destroy();
    socket.destroy();
    agent.destroy();
    await never;
  });

  it('passes an upgraded connection on, both ways, also one that had to wait', async () => {
    gate.hold(long);
    const upgrading = upgrade('/late');
    await until(() => gate.status.waiting === 1);
    gate.release('told');
    const socket = await upgrading;
    socket.write('hello');
    const [bytes] = await new Promise<Buffer[]>((resolve) => socket.once('data', (data) => resolve([data])));
    expect(bytes?.toString()).toBe('hello');
    expect(gate.status.inFlight).toBe(0);
    socket.destroy();
    await app[Symbol.asyncDispose]();
    await expect(upgrade('/dead')).rejects.toMatchObject({ status: 502 });
  });

  it('refuses with 503 and when to come again what is too much to hold', async () => {
    const hold = gate.hold({ limitMs: 30_000, drainMs: 0 });
    const waiting = Array.from({ length: 4 }, (_, n) => ask(`/${n}`, { agent: false }));
    await until(() => gate.status.waiting === 4);
    const refused = await ask('/more', {
      method: 'POST',
      body: Buffer.alloc(10_000_000),
      agent: false,
    }).catch((error: NodeJS.ErrnoException) => error.code);
    // A client that is still sending may see the connection end before it reads the answer.
    if (typeof refused === 'object') {
      expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
    } else expect(['ECONNRESET', 'EPIPE']).toContain(refused);
    expect(await ask('/small', { agent: false })).toMatchObject({
      status: 503,
      headers: { 'retry-after': '30' },
    });
    gate.release('told');
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await hold.released).toMatchObject({ heldRequests: 4, refusedRequests: 2 });
  });

  it('does not pass on the request of a client that hung up while it waited', async () => {
    const hold = gate.hold(long);
    const client = connect(portOf(front.server), '127.0.0.1');
    client.write('POST /gone HTTP/1.1\r\nHost: app\r\nContent-Length: 10\r\n\r\nhalf');
    await until(() => gate.status.waiting === 1);
    client.destroy();
    await until(() => gate.status.waiting === 0);
    gate.release('told');
    expect(await hold.released).toMatchObject({ heldRequests: 0, lostRequests: 1 });
    expect(app.seen).toEqual([]);
  });

  it('says that the app does not answer, when it died while requests were held', async () => {
    await ask('/before');
    gate.hold(long);
    const asked = ask('/after');
    await until(() => gate.status.waiting === 1);
    await app[Symbol.asyncDispose]();
    gate.release('told');
    const { status, text } = await asked;
    expect(status).toBe(502);
    expect(text).toContain('ECONNREFUSED');
    expect(gate.status.inFlight).toBe(0);
  });

  it('meets no connection that the app closed during the hold', async () => {
    await ask('/before');
    const hold = gate.hold(long);
    await hold.drained;
    for (const connection of app.connections) connection.destroy();
    const asked = ask('/after', { method: 'POST', body: Buffer.from('body') });
    await until(() => gate.status.waiting === 1);
    gate.release('told');
    expect((await asked).text).toBe('POST /after 4');
  });

  it('does not make a broken answer look whole', async () => {
    expect((await ask('/die')).status).toBe(502);
    await expect(ask('/half')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await until(() => gate.status.inFlight === 0);
  });
});

async function upgrade(path: string): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
    const asking = request({ host: '127.0.0.1', port: portOf(front.server), path, headers });
    asking.on('upgrade', (_, socket) => resolve(socket));
    asking.on('response', ({ statusCode: status }) =>
      reject(Object.assign(new Error('refused'), { status })),
    );
    asking.on('error', reject);
    asking.end();
  });
}
