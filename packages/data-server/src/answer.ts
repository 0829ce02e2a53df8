import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { HoldfastError, httpStatusOf, toHoldfastError } from '@holdfast/base';
import type { DataRequest } from '@holdfast/protocol';
import { sendArchive } from './send-archive.ts';
import { sendContent } from './send-content.ts';
import { sendDiff } from './send-diff.ts';
import { sendList } from './send-list.ts';

/**
 * Answers one request on its connection, and ends that. What fails before the first byte is answered as an error; what
 * fails later breaks the connection off, so that nobody takes a part for the whole.
 */
export async function answer(request: DataRequest, connection: Socket): Promise<void> {
  const response = responseOn(connection);
  const gone = new AbortController();
  connection.once('close', () => gone.abort(new HoldfastError('interrupted', 'The client has gone.')));
  try {
    await send(request, response, gone.signal);
    response.end();
    await finished(response);
  } catch (error) {
    if (response.headersSent || gone.signal.aborted) {
      connection.destroy();
      return;
    }
    const failure = toHoldfastError(error);
    response.writeHead(httpStatusOf(failure), { 'content-type': 'application/json' });
    response.end(JSON.stringify(failure.toReport()));
    await finished(response).catch(() => {});
  }
}

async function send(request: DataRequest, response: ServerResponse, signal: AbortSignal): Promise<void> {
  switch (request.kind) {
    case 'archive':
      return await sendArchive(request, response, { signal });
    case 'content':
      return await sendContent(request, response, { signal });
    case 'list':
      return await sendList(request, response, { signal });
    case 'diff':
      return await sendDiff(request, response, { signal });
  }
}

/** The request was read by the server already: what is left of it is to be answered. */
function responseOn(connection: Socket): ServerResponse {
  const request = new IncomingMessage(connection);
  request.method = 'GET';
  request.httpVersion = '1.1';
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.setHeader('cache-control', 'no-store').setHeader('x-content-type-options', 'nosniff');
  response.assignSocket(connection);
  response.on('error', () => {});
  connection.on('error', () => {});
  // An HTTP server tells it otherwise: without it, who waits for a slow client waits for ever.
  connection.on('drain', () => response.emit('drain'));
  response.once('finish', () => {
    response.detachSocket(connection);
    connection.end();
  });
  return response;
}
