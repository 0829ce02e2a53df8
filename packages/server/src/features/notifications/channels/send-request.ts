import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isHoldfastError, systemErrorCode, throwIfAborted } from '@holdfast/base';
import { findAddresses, lookupOf, onceConnected } from '@holdfast/outbound';
import { failures, type SendOptions } from './channel.ts';

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Of an answer that is longer, no more is read. */
const mostAnswerBytes = 4096;
const mostAnswerCharacters = 200;

/**
 * Sends a request to a URL that a user gave, over a connection of its own to an address that was checked for it: no
 * proxy, no redirect. Answers with status and text when the other side took it.
 *
 * @throws HoldfastError as a `Channel`
 */
export async function sendRequest(request: OutgoingRequest, options: SendOptions): Promise<string> {
  const { url } = request;
  const { signal } = options;
  try {
    const response = await ask(request, await addressesOf(url.hostname, options), options);
    const text = await textOf(response);
    const { statusCode: status = 0 } = response;
    const answer = `status ${status}${text === '' ? '' : `, ${text}`}`;
    if (status >= 200 && status < 300) return answer;
    const isRedirect = status >= 300 && status < 400;
    const retry = status === 408 || status === 429 || status >= 500;
    throw failures.answer(url.host, isRedirect ? `${answer} (redirects are not followed)` : answer, retry);
  } catch (error) {
    throwIfAborted(signal);
    if (isHoldfastError(error)) throw error;
    throw failures.connection(url.host, systemErrorCode(error) ?? 'the connection broke');
  }
}

/** @throws HoldfastError `url-refused`; a system error where the name is not found */
export async function addressesOf(host: string, options: SendOptions): Promise<readonly string[]> {
  const found = await findAddresses(host, options);
  if (found.outcome === 'refused') throw failures.address(host, found.address);
  return found.addresses;
}

async function ask(
  { method, url, headers, body }: OutgoingRequest,
  addresses: readonly string[],
  { allowed, userAgent, signal }: SendOptions,
): Promise<IncomingMessage> {
  const answered = Promise.withResolvers<IncomingMessage>();
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const sent = request(url, {
    method,
    agent: false,
    signal,
    lookup: lookupOf(addresses),
    headers: {
      'user-agent': userAgent,
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
  });
  sent.on('socket', (socket) => {
    onceConnected(socket, () => {
      const address = socket.remoteAddress ?? 'unknown';
      if (!allowed.has(address)) sent.destroy(failures.address(url.hostname, address));
    });
  });
  sent.on('response', (response) => {
    // Whoever reads it gets the error; nobody may be reading.
    response.on('error', () => {});
    answered.resolve(response);
  });
  sent.on('error', (error) => answered.reject(error));
  sent.end(body);
  return await answered.promise;
}

/** The beginning of what was answered, in one line. */
async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= mostAnswerBytes) break;
  }
  return answerText(Buffer.concat(pieces).toString('utf8'));
}

/** What another side says, as it may be shown. */
export function answerText(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length <= mostAnswerCharacters ? line : `${line.slice(0, mostAnswerCharacters)}…`;
}
