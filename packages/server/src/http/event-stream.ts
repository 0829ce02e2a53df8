import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Below the idle time-outs of the usual proxies. */
const heartbeatMs = 15_000;

/**
 * Sends each event as soon as it is there, and ends the response when they end. A comment goes out from time to time,
 * so that nobody between here and the client takes the connection for dead. A slow client is waited for.
 *
 * @param signal fires when the client has gone or the server stops: the response is closed then
 */
export async function sendEvents(
  response: ServerResponse,
  events: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  const heartbeat = setInterval(() => response.write(': still here\n\n'), heartbeatMs);
  try {
    for await (const event of events) {
      if (signal.aborted) break;
      const hasRoom = response.write(`data: ${JSON.stringify(event)}\n\n`);
      if (!hasRoom) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
}
