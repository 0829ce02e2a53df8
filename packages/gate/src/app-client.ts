import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';
import { endToEndHeaders } from './end-to-end-headers.ts';

/** Apps may think, or be silent within an answer, for as long as they like. */
const noTimeouts = { headersTimeout: 0, bodyTimeout: 0 };
/** Ours are added to, or take the place of, what the client said. */
const replaced: ReadonlySet<string> = new Set([
  'expect',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
]);
const earliestFinalStatus = 200;
/** One for all: nobody looks at where it was made, which is what takes time. */
const clientGone = new Error('The client went away.');

export interface PassedOn {
  /** The head of the app's answer is there; not for an upgrade. */
  onAnswer?(headers: IncomingMessage['headers']): void;
  /** The connection speaks another protocol from now on. */
  onUpgraded?(): void;
  /** The app could not be reached, or broke off; what the client gets of it is the caller's to say. */
  onFailure(error: Error): void;
}

/** Passes requests on to the app, over connections that are kept. */
export class AppClient {
  readonly #target: URL;
  #pool: Pool;

  constructor(target: URL) {
    this.#target = target;
    this.#pool = openPool(target);
  }

  /** Whatever comes next gets a connection of its own: those that are idle now may be closed at the app's end. */
  forgetIdleConnections(): void {
    const old = this.#pool;
    this.#pool = openPool(this.#target);
    closeWhenDone(old);
  }

  /** Takes nothing new; what is under way goes on. */
  close(): void {
    closeWhenDone(this.#pool);
  }

  pass(request: IncomingMessage, response: ServerResponse, passedOn: PassedOn): void {
    const body = hasBody(request) ? request : null;
    this.#pool.dispatch({ ...requestOf(request), body }, new Answer(response, passedOn));
  }

  /** @param head what came behind the request */
  passUpgrade(request: IncomingMessage, client: Duplex, head: Buffer, passedOn: PassedOn): void {
    const upgrade = request.headers.upgrade ?? '';
    this.#pool.dispatch({ ...requestOf(request), upgrade }, new UpgradeAnswer(client, head, passedOn));
  }
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function openPool(target: URL): Pool {
  return new Pool(target.origin, noTimeouts);
}

function closeWhenDone(pool: Pool): void {
  pool.close().catch(() => {});
}

function requestOf(request: IncomingMessage): Dispatcher.DispatchOptions {
  const { headers, socket } = request;
  const before = headers['x-forwarded-for'];
  const address = socket.remoteAddress ?? '';
  const host = headers.host ?? '';
  const forwarded = {
    'x-forwarded-for': before === undefined ? address : `${before}, ${address}`,
    'x-forwarded-host': headers['x-forwarded-host'] ?? host,
    'x-forwarded-port': headers['x-forwarded-port'] ?? /:([0-9]+)$/.exec(host)?.[1] ?? '80',
    'x-forwarded-proto': headers['x-forwarded-proto'] ?? 'http',
  };
  return {
    path: request.url ?? '/',
    method: request.method as Dispatcher.HttpMethod,
    headers: [
      ...endToEndHeaders(request.rawHeaders, replaced),
      ...Object.entries(forwarded).flat().map(String),
    ],
  };
}

/** Copies the app's answer to a client. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #passedOn: PassedOn;
  /** What came with the head: most answers are written in one go. */
  #first: Buffer | undefined;
  #isFlushed = false;

  constructor(response: ServerResponse, passedOn: PassedOn) {
    this.#response = response;
    this.#passedOn = passedOn;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    abortWhenGone(controller, this.#response);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingMessage['headers'],
    statusText?: string,
  ): void {
    if (status < earliestFinalStatus || this.#response.destroyed) return;
    this.#passedOn.onAnswer?.(headers);
    this.#response.writeHead(status, statusText ?? '', endToEndHeaders(rawHeadersOf(controller)));
    process.nextTick(() => this.#flush(controller));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isFlushed && this.#first === undefined) this.#first = chunk;
    else this.#write(controller, chunk);
  }

  onResponseEnd(): void {
    this.#isFlushed = true;
    this.#response.end(this.#first);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#isFlushed = true;
    this.#passedOn.onFailure(error);
  }

  #flush(controller: Dispatcher.DispatchController): void {
    if (this.#isFlushed) return;
    this.#isFlushed = true;
    if (this.#first === undefined) this.#response.flushHeaders();
    else this.#write(controller, this.#first);
    this.#first = undefined;
  }

  #write(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }
}

/** Joins a client with the app once that agrees to the upgrade; else copies its answer, and ends the connection. */
class UpgradeAnswer implements Dispatcher.DispatchHandler {
  readonly #client: Duplex;
  readonly #head: Buffer;
  readonly #passedOn: PassedOn;
  #isAnswered = false;

  constructor(client: Duplex, head: Buffer, passedOn: PassedOn) {
    this.#client = client;
    this.#head = head;
    this.#passedOn = passedOn;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    abortWhenGone(controller, this.#client);
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingMessage['headers'],
    app: Duplex,
  ): void {
    const upgraded = ['Connection', 'Upgrade', 'Upgrade', String(headers.upgrade ?? '')];
    this.#writeHead(status, [...endToEndHeaders(rawHeadersOf(controller)), ...upgraded]);
    this.#passedOn.onUpgraded?.();
    if (this.#head.length > 0) app.write(this.#head);
    join(this.#client, app);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < earliestFinalStatus) return;
    this.#writeHead(status, [...endToEndHeaders(rawHeadersOf(controller)), 'Connection', 'close']);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#client.write(chunk)) return;
    controller.pause();
    this.#client.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#client.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // An answer that ends early must not look whole.
    if (this.#isAnswered) this.#client.destroy();
    else this.#passedOn.onFailure(error);
  }

  #writeHead(status: number, headers: readonly string[]): void {
    this.#isAnswered = true;
    const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`];
    for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
    this.#client.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  }
}

function abortWhenGone(controller: Dispatcher.DispatchController, client: ServerResponse | Duplex): void {
  const abort = (): void => {
    if (!client.writableEnded) controller.abort(clientGone);
  };
  if (client.destroyed) abort();
  else client.once('close', abort);
}

/** Bytes, as HTTP/1 has them: a name or a value need not be UTF-8. */
function rawHeadersOf({ rawHeaders }: Dispatcher.DispatchController): string[] {
  if (!Array.isArray(rawHeaders)) return [];
  return rawHeaders.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

/** Either end takes the other with it. */
function join(client: Duplex, app: Duplex): void {
  for (const socket of [client, app]) if (socket instanceof Socket) socket.setTimeout(0).setNoDelay(true);
  app.on('error', () => client.destroy());
  app.on('close', () => client.destroy());
  client.on('close', () => app.destroy());
  client.pipe(app).pipe(client);
}
