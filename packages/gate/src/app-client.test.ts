import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Gate } from './gate.ts';
import { HttpGate } from './http-gate.ts';
import { App, portOf } from './testing/app.ts';

/** What a proxy must and must not pass on, byte by byte. */

let app: App;
let front: HttpGate;
const heads: string[][] = [];

beforeEach(async () => {
  heads.length = 0;
  app = await App.start((incoming, response) => {
    heads.push(incoming.rawHeaders);
    if (incoming.url === '/bytes') {
      const file = Buffer.from('attachment; filename="ü 文件.txt"').toString('latin1');
      response.writeHead(200, 'Fine', [
        'Content-Disposition',
        file,
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
      ]);
      response.end('bytes');
    } else if (incoming.url === '/slow') {
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      response.flushHeaders();
    } else if (incoming.url === '/early') {
      response.writeHead(413, { Connection: 'close' });
      response.end('too much');
    } else if (incoming.url === '/hints') {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end('after hints');
    } else if (incoming.url === '/private') {
      response.writeHead(200, { Connection: 'close, X-Private', 'X-Private': 'of this connection' });
      response.end();
    } else if (incoming.url === '/cut') incoming.socket.destroy();
    else incoming.resume().on('end', () => response.end(incoming.method === 'HEAD' ? undefined : 'ok'));
  });
  app.server.on('upgrade', (_incoming, socket) => {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nX-Reason: no ticket\r\n\r\nno!');
  });
  front = new HttpGate({ gate: new Gate({ waiting: 4, waitingBytes: 1_000_000 }), target: app.url });
  await new Promise<void>((resolve) => front.server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  front.close();
  front.server.closeAllConnections();
  await app[Symbol.asyncDispose]();
});

/** What comes back on a connection of its own, until that ends or `isEnough`. */
async function talk(text: string, isEnough: (answer: string) => boolean = () => false): Promise<string> {
  const socket = connect(portOf(front.server), '127.0.0.1');
  socket.write(text, 'latin1');
  let answer = '';
  for await (const chunk of socket) {
    answer += (chunk as Buffer).toString('latin1');
    if (isEnough(answer)) break;
  }
  socket.destroy();
  return answer;
}

function headerOf(name: string): string | undefined {
  const [head = []] = heads;
  const at = head.findIndex((part, position) => position % 2 === 0 && part.toLowerCase() === name);
  return at === -1 ? undefined : head[at + 1];
}

const close = 'Host: shop.example:8080\r\nConnection: close\r\n';

describe('what the app gets', () => {
  it('is the request as it came, and who sent it', async () => {
    await talk(`GET /a%20b?c=d HTTP/1.1\r\n${close}X-Mixed-Case: \xfc\r\n\r\n`);
    expect(app.seen).toEqual(['GET /a%20b?c=d']);
    expect(heads[0]).toEqual(expect.arrayContaining(['X-Mixed-Case', '\xfc']));
    expect(headerOf('host')).toBe('shop.example:8080');
    expect(headerOf('x-forwarded-for')).toBe('127.0.0.1');
    expect(headerOf('x-forwarded-host')).toBe('shop.example:8080');
    expect(headerOf('x-forwarded-port')).toBe('8080');
    expect(headerOf('x-forwarded-proto')).toBe('http');
  });

  it('says what a proxy before the gate said', async () => {
    const before =
      'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n';
    await talk(`GET / HTTP/1.1\r\n${close}${before}\r\n`);
    expect(headerOf('x-forwarded-for')).toBe('192.0.2.1, 127.0.0.1');
    expect(headerOf('x-forwarded-proto')).toBe('https');
    expect(headerOf('x-forwarded-host')).toBe('shop.example');
  });

  it('has nothing of the connection to the client', async () => {
    const own =
      'Connection: close, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nKeep-Alive: timeout=9\r\nX-End: 2\r\n';
    await talk(`GET / HTTP/1.1\r\nHost: app\r\n${own}\r\n`);
    expect(headerOf('x-end')).toBe('2');
    for (const name of ['x-hop', 'te', 'keep-alive']) expect(headerOf(name)).toBeUndefined();
    expect(headerOf('connection')).not.toContain('X-Hop');
  });

  it('is a body that the client sends only once it is told to go on', async () => {
    const answer = await talk(
      `POST / HTTP/1.1\r\n${close}Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/);
    expect(headerOf('expect')).toBeUndefined();
  });

  it('is never a second time what may change something', async () => {
    expect(await talk(`POST /cut HTTP/1.1\r\n${close}\r\n`)).toContain('HTTP/1.1 502 ');
    expect(app.seen).toEqual(['POST /cut']);
    expect(await talk(`GET /cut HTTP/1.1\r\n${close}\r\n`)).toContain('HTTP/1.1 502 ');
    expect(app.seen).toEqual(['POST /cut', 'GET /cut', 'GET /cut']);
  });
});

describe('what the client gets', () => {
  it('has every header as the app wrote it, byte by byte', async () => {
    const answer = await talk(`GET /bytes HTTP/1.1\r\n${close}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 Fine\r\n/);
    const text = Buffer.from(answer, 'latin1').toString();
    expect(text).toContain('Content-Disposition: attachment; filename="ü 文件.txt"');
    expect(text).toContain('Set-Cookie: a=1\r\nSet-Cookie: b=2');
  });

  it('has the head at once, although the body lets wait', async () => {
    const answer = await talk('GET /slow HTTP/1.1\r\nHost: app\r\n\r\n', (text) => text.includes('\r\n\r\n'));
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Type: text\/plain/);
  });

  it('comes although not all of the body was sent', async () => {
    const head = `POST /early HTTP/1.1\r\n${close}Content-Length: 1000000\r\n\r\n`;
    expect(await talk(head + 'x'.repeat(1000), (text) => text.includes('too much'))).toContain(
      'HTTP/1.1 413 ',
    );
  });

  it('is the final answer, without hints on the way', async () => {
    const answer = await talk(`GET /hints HTTP/1.1\r\n${close}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
    expect(answer).toContain('after hints');
  });

  it('has nothing of the connection to the app', async () => {
    expect(await talk(`GET /private HTTP/1.1\r\n${close}\r\n`)).not.toContain('X-Private');
  });

  it('has no body for HEAD', async () => {
    expect(await talk(`HEAD / HTTP/1.1\r\n${close}\r\n`)).toMatch(/^HTTP\/1.1 200 OK\r\n(?:.+\r\n)+\r\n$/);
  });

  it('is why the app refuses an upgrade', async () => {
    const upgrade = 'Host: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const answer = await talk(`GET /socket HTTP/1.1\r\n${upgrade}`);
    expect(answer).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/);
    expect(answer).toContain('X-Reason: no ticket');
    expect(answer).toMatch(/no!$/);
  });
});
