import { connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Gate } from './gate.ts';
import { TcpGate } from './tcp-gate.ts';
import { portOf } from './testing/app.ts';

let app: Server;
let gate: Gate;
let front: TcpGate;
const sockets = new Set<Socket>();

/** Answers with what came, when the client has said all. */
beforeEach(async () => {
  sockets.clear();
  app = createServer({ allowHalfOpen: true }, async (socket) => {
    sockets.add(socket);
    socket.end(`got ${await text(socket)}`);
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  gate = new Gate({ waiting: 1, waitingBytes: 1_000_000 });
  front = new TcpGate({ gate, target: { host: '127.0.0.1', port: portOf(app) } });
  await new Promise<void>((resolve) => front.server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  gate.release('stopped');
  front.close();
  app.close();
  for (const socket of sockets) socket.destroy();
});

function dial(): Socket {
  return connect({ host: '127.0.0.1', port: portOf(front.server), allowHalfOpen: true });
}

async function say(words: string): Promise<string> {
  const socket = dial();
  socket.end(words);
  return await text(socket);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

describe('a gate before any other server', () => {
  it('passes bytes on both ways, and the end of each', async () => {
    expect(await say('hello')).toBe('got hello');
  });

  it('lets new connections wait while it holds, and not those that are there', async () => {
    const early = dial();
    await until(() => sockets.size === 1);
    const hold = gate.hold({ limitMs: 60_000, drainMs: 60_000 });
    expect(await hold.drained).toBe(0);
    const late = say('late');
    await until(() => gate.status.waiting === 1);
    early.end('early');
    expect(await text(early)).toBe('got early');
    expect(sockets.size).toBe(1);
    await expect(say('too many')).rejects.toMatchObject({ code: 'ECONNRESET' });
    gate.release('told');
    expect(await late).toBe('got late');
    expect(await hold.released).toMatchObject({ heldRequests: 1, refusedRequests: 1 });
  });

  it('ends the connection when the server behind it does not answer', async () => {
    await new Promise<void>((resolve) => app.close(() => resolve()));
    await expect(say('hello')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
