import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Gate } from './gate.ts';
import { HttpGate } from './http-gate.ts';
import { App, portOf } from './testing/app.ts';

/** Clients that are slow, large, gone in the middle, or stay for ever, while a gate holds. */

const long = { limitMs: 600_000, drainMs: 600_000 };
const mebibyte = 1024 * 1024;
const uploadMebibytes = 1024;
/** What the kernel's buffers on both ends of a connection take, and a gate that does not read. */
const mostUnreadBytes = 32 * mebibyte;
const mostMoreMemoryBytes = 200 * mebibyte;

let app: App;
let gate: Gate;
let front: HttpGate;
let cutOff: number;

beforeEach(async () => {
  cutOff = 0;
  app = await App.start((incoming, response) => {
    const hash = createHash('sha256');
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    incoming.on('end', () => response.end(`${bytes} ${hash.digest('hex')}`));
    incoming.on('close', () => {
      if (!incoming.complete) cutOff += 1;
    });
  });
  app.server.on('upgrade', (_, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.pipe(socket);
  });
  gate = new Gate({ waiting: 10, waitingBytes: mebibyte });
  front = new HttpGate({ gate, target: app.url });
  front.server.listen(0, '127.0.0.1');
  await once(front.server, 'listening');
});

afterEach(async () => {
  gate.release('stopped');
  front.close();
  front.server.closeAllConnections();
  await app[Symbol.asyncDispose]();
});

function open(): Socket {
  return connect(portOf(front.server), '127.0.0.1');
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

async function answerOn(client: Socket): Promise<string> {
  let text = '';
  for await (const chunk of client) {
    text += String(chunk);
    if (text.includes('\r\n\r\n') && /\b[0-9a-f]{64}\b/.test(text)) break;
  }
  return text;
}

describe('a gate that holds', () => {
  it('counts a slow client that has begun as in flight, and its request ends whole', async () => {
    const client = open();
    client.write('POST /slow HTTP/1.1\r\nHost: app\r\nContent-Length: 10\r\n\r\nfirst');
    await until(() => app.seen.length === 1);
    const hold = gate.hold({ ...long, drainMs: 50 });
    expect(await hold.drained).toBe(1);
    client.write('later');
    const whole = createHash('sha256').update('firstlater').digest('hex');
    expect(await answerOn(client)).toContain(`10 ${whole}`);
    expect(gate.status.inFlight).toBe(0);
    gate.release('told');
  });

  it('lets a client wait from the end of its head on, however slowly that comes', async () => {
    const hold = gate.hold(long);
    const client = open();
    for (const piece of ['POST /dribble HTTP/1.1\r\n', 'Host: app\r\n', 'Content-Length: 2\r\n']) {
      client.write(piece);
      await delay(20);
    }
    expect(gate.status.waiting).toBe(0);
    client.write('\r\nx');
    await until(() => gate.status.waiting === 1);
    expect(app.seen).toEqual([]);
    gate.release('told');
    client.write('y');
    expect(await answerOn(client)).toContain(`2 ${createHash('sha256').update('xy').digest('hex')}`);
    expect(await hold.released).toMatchObject({ heldRequests: 1, lostRequests: 0 });
  });

  it('tells the app of a client that hung up in the middle of what was passed on', async () => {
    const client = open();
    client.write('POST /cut HTTP/1.1\r\nHost: app\r\nContent-Length: 10\r\n\r\nhalf');
    await until(() => app.seen.length === 1);
    const hold = gate.hold(long);
    client.destroy();
    expect(await hold.drained).toBe(0);
    await until(() => cutOff === 1);
    gate.release('told');
    expect(await hold.released).toMatchObject({ heldRequests: 0, refusedRequests: 0 });
  });

  it('leaves a WebSocket that is there alone: it goes on after the hold', async () => {
    const asking = request({
      ...{ host: '127.0.0.1', port: portOf(front.server), path: '/socket' },
      headers: { Connection: 'Upgrade', Upgrade: 'websocket' },
    });
    asking.end();
    const [, socket] = (await once(asking, 'upgrade')) as [IncomingMessage, Socket];
    const hold = gate.hold(long);
    expect(await hold.drained).toBe(0);
    gate.release('told');
    await hold.released;
    socket.write('still here');
    const [echo] = (await once(socket, 'data')) as [Buffer];
    expect(echo.toString()).toBe('still here');
    socket.destroy();
  });

  it('does not read an upload of 1 GiB while it waits, and passes it on whole in little memory', async () => {
    const hold = gate.hold(long);
    const length = uploadMebibytes * mebibyte;
    const asking = request({
      ...{ host: '127.0.0.1', port: portOf(front.server), path: '/upload', method: 'POST' },
      headers: { 'Content-Length': length },
    });
    const answered = once(asking, 'response') as Promise<[IncomingMessage]>;
    const hash = createHash('sha256');
    const uploaded = upload(asking, hash);
    await until(() => gate.status.waiting === 1);
    await delay(200);
    expect(asking.socket?.bytesWritten).toBeLessThan(mostUnreadBytes);
    expect(app.seen).toEqual([]);
    const before = process.memoryUsage.rss();
    gate.release('told');
    await uploaded;
    const [answer] = await answered;
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    expect(text).toBe(`${length} ${hash.digest('hex')}`);
    expect(process.memoryUsage.rss() - before).toBeLessThan(mostMoreMemoryBytes);
    expect(await hold.released).toMatchObject({ heldRequests: 1 });
  });
});

/** As fast as the other end takes it. */
async function upload(
  asking: ReturnType<typeof request>,
  hash: ReturnType<typeof createHash>,
): Promise<void> {
  for (let number = 0; number < uploadMebibytes; number += 1) {
    const piece = Buffer.alloc(mebibyte, number & 0xff);
    hash.update(piece);
    if (!asking.write(piece)) await once(asking, 'drain');
  }
  asking.end();
}
