import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { systemErrorCode } from '@holdfast/base';
import { AppClient, hasBody } from './app-client.ts';
import type { Admission, Gate, Passage } from './gate.ts';

/** Clients send the head of a request in one go; a body waits in the kernel. */
const headTimeoutMs = 60_000;
/** Longer than reverse proxies before the gate keep a connection: so they close first, and no request meets a closing one. */
const keepAliveMs = 75_000;
/** What a header and Node's own buffers take of a request that waits, beyond what was read of its body. */
const waitingOverheadBytes = 16 * 1024;

export interface HttpGateOptions {
  readonly gate: Gate;
  /** `http://HOST:PORT` */
  readonly target: URL;
}

/**
 * A reverse proxy for HTTP/1.1. While its gate holds, requests wait: their bodies are not read, and nothing of them
 * reaches the app. Connections that were upgraded (WebSocket) and streams of events live too long to be waited for.
 */
export class HttpGate {
  readonly server: Server;
  readonly #gate: Gate;
  readonly #app: AppClient;

  constructor({ gate, target }: HttpGateOptions) {
    this.#gate = gate;
    // In a pause the app may close what is idle without this being seen before the next request.
    gate.onTurn(() => this.#app.forgetIdleConnections());
    this.#app = new AppClient(target);
    this.server = createServer({
      requestTimeout: 0,
      headersTimeout: headTimeoutMs,
      keepAliveTimeout: keepAliveMs,
    });
    this.server.on('request', (request, response) => this.#onRequest(request, response));
    this.server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  /** Takes nothing new, and ends what is idle. */
  close(): void {
    this.server.close();
    this.server.closeIdleConnections();
    this.#app.close();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const passage = this.#gate.tryToPass();
    if (passage !== undefined) this.#forward(request, response, passage);
    else void this.#forwardLater(request, response);
  }

  async #forwardLater(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const admission = await this.#admit(request, response);
    if (admission.outcome === 'passed') this.#forward(request, response, admission.passage);
    else if (admission.outcome === 'refused') refuse(response, admission.retryAfterSeconds);
  }

  async #admit(request: IncomingMessage, connection: ServerResponse | Duplex): Promise<Admission> {
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    connection.once('close', leave);
    try {
      const bytes = waitingOverheadBytes + request.readableLength;
      return await this.#gate.wait({ bytes, gone: gone.signal });
    } finally {
      connection.off('close', leave);
    }
  }

  #forward(request: IncomingMessage, response: ServerResponse, passage: Passage): void {
    response.once('close', () => passage.end());
    this.#send(request, response, passage, { mayRetry: isRepeatable(request) });
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    passage: Passage,
    { mayRetry }: { readonly mayRetry: boolean },
  ): void {
    this.#app.pass(request, response, {
      onAnswer: (headers) => {
        if (isEventStream(headers)) passage.end();
      },
      onFailure: (error) => {
        const isAgain = mayRetry && wasCut(error) && !response.headersSent && !response.destroyed;
        if (isAgain) this.#send(request, response, passage, { mayRetry: false });
        else answerFailure(response, error);
      },
    });
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A client that is gone is told by its closing.
    socket.on('error', () => {});
    const passage = this.#gate.tryToPass();
    if (passage !== undefined) this.#upgrade(request, socket, head, passage);
    else void this.#upgradeLater(request, socket, head);
  }

  async #upgradeLater(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const admission = await this.#admit(request, socket);
    if (admission.outcome === 'passed') this.#upgrade(request, socket, head, admission.passage);
    else if (admission.outcome === 'refused') {
      answerUpgrade(socket, 503, `Retry-After: ${admission.retryAfterSeconds}\r\n`);
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, passage: Passage): void {
    socket.once('close', () => passage.end());
    this.#app.passUpgrade(request, socket, head, {
      onUpgraded: () => passage.end(),
      onFailure: () => answerUpgrade(socket, 502),
    });
  }
}

function isEventStream(headers: IncomingMessage['headers']): boolean {
  return headers['content-type']?.startsWith('text/event-stream') === true;
}

/** The app may have closed an idle connection in the moment in which it was used again. */
function wasCut(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(systemErrorCode(error) ?? '');
}

/** What may be sent twice (RFC 9110, 9.2.2), and can be: a body is read once. */
function isRepeatable(request: IncomingMessage): boolean {
  return (
    ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'].includes(request.method ?? '') && !hasBody(request)
  );
}

/** The body, if there is one, is not read: the connection ends with the answer. */
function refuse(response: ServerResponse, retryAfterSeconds: number): void {
  answer(response, 503, 'A backup is being taken, and too many requests wait already. Try again.', {
    'Retry-After': String(retryAfterSeconds),
    Connection: 'close',
  });
}

function answerFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    // An answer that ends early must not look whole.
    response.destroy();
    return;
  }
  const code = systemErrorCode(error) ?? 'unknown';
  answer(response, 502, `The app behind this gate does not answer (${code}).`, { Connection: 'close' });
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers });
  response.end(`${text}\n`);
}

/** Where there is a connection and no response yet. */
function answerUpgrade(socket: Duplex, status: 502 | 503, headers = ''): void {
  if (!socket.writable) return;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}`;
  socket.end(`${head}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}
