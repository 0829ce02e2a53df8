import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before an S3 server and counts what is asked of it, by method. Passes everything on as it comes. */
export class RequestCounter implements AsyncDisposable {
  readonly #server: Server;
  readonly #counts = new Map<string, number>();

  private constructor(upstream: URL) {
    this.#server = createServer((asked, answer) => this.#pass(upstream, asked, answer));
  }

  static async before(upstream: URL): Promise<RequestCounter> {
    const counter = new RequestCounter(upstream);
    await new Promise<void>((resolve) => counter.#server.listen(0, '127.0.0.1', resolve));
    return counter;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`);
  }

  /** Requests since the last time, by method. */
  take(): Record<string, number> {
    const counts = Object.fromEntries(this.#counts);
    this.#counts.clear();
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(upstream: URL, asked: IncomingMessage, answer: ServerResponse): void {
    const method = asked.method ?? '';
    this.#counts.set(method, (this.#counts.get(method) ?? 0) + 1);
    const { hostname, port } = upstream;
    // The header Host stays: it is signed.
    const passed = request({ hostname, port, method, path: asked.url, headers: asked.headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    passed.once('error', () => answer.destroy());
    asked.pipe(passed);
  }
}
