import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';

/**
 * As `fetch`, for a request whose body is a stream, of which Node's own keeps all in memory that it has sent. An answer
 * that comes before all is sent is the answer: the server wants no more.
 */
export const fetchUpload: typeof globalThis.fetch = async (input, init = {}) => {
  const url = new URL(input instanceof Request ? input.url : input);
  const { body, method = 'POST', signal } = init;
  if (!(body instanceof ReadableStream)) return await fetch(input, init);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const headers = Object.fromEntries(new Headers(init.headers));
  const sent = request(url, { method, headers, ...(signal ? { signal } : {}) });
  const answered = Promise.withResolvers<IncomingMessage>();
  sent.on('response', answered.resolve).on('error', answered.reject);
  pipeline(Readable.fromWeb(body), sent).catch(answered.reject);
  const answer = await answered.promise;
  const { statusCode: status = 0 } = answer;
  try {
    return new Response(await text(answer), { status });
  } finally {
    sent.destroy();
  }
};
