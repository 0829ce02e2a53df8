import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import {
  type AllowedAddresses,
  type FoundAddresses,
  findAddresses,
  lookupOf,
  onceConnected,
  type ResolveName,
} from '@holdfast/outbound';
import { connectionError, urlErrors } from './url-errors.ts';

const mostRedirects = 5;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface OpenUrlOptions {
  readonly allowed: AllowedAddresses;
  readonly resolveName: ResolveName;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** @throws HoldfastError `url-refused` for anything but an http or https URL */
export function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw urlErrors.unreadable();
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw urlErrors.scheme(url);
  return url;
}

/**
 * Asks for what is at a URL, and follows redirects. Each connection is one of its own, to an address that was looked up
 * and checked for it: whatever the name means a moment later, and whatever proxy is configured, plays no part.
 *
 * @throws HoldfastError `url-refused`, `url-failed`
 */
export async function openUrl(start: URL, options: OpenUrlOptions): Promise<IncomingMessage> {
  let url = start;
  for (let redirects = 0; ; redirects += 1) {
    const response = await ask(url, options);
    const location = redirectOf(response);
    if (location === undefined) return response;
    response.destroy();
    if (redirects === mostRedirects) throw urlErrors.redirects(url, mostRedirects);
    url = nextUrl(url, location);
  }
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage): IncomingHttpHeaders['location'] {
  return redirectStatuses.has(statusCode) ? headers.location : undefined;
}

function nextUrl(from: URL, location: string): URL {
  const url = parseUrl(URL.parse(location, from.href)?.href ?? '');
  if (from.protocol === 'https:' && url.protocol === 'http:') throw urlErrors.downgrade(from);
  return url;
}

async function ask(url: URL, { allowed, resolveName, headers, signal }: OpenUrlOptions) {
  const addresses = await resolveAllowed(url, { allowed, resolveName, signal });
  const answered = Promise.withResolvers<IncomingMessage>();
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const sent = request(url, { agent: false, headers, signal, lookup: lookupOf(addresses) });
  sent.on('socket', (socket) => {
    onceConnected(socket, () => {
      const address = socket.remoteAddress ?? 'unknown';
      if (!allowed.has(address)) sent.destroy(urlErrors.address(url, address));
    });
  });
  sent.on('response', (response) => {
    // Whoever reads it gets the error; nobody may be reading.
    response.on('error', () => {});
    answered.resolve(response);
  });
  sent.on('error', (error) => answered.reject(connectionError(url, error)));
  sent.end();
  return await answered.promise;
}

async function resolveAllowed(
  url: URL,
  options: Pick<OpenUrlOptions, 'allowed' | 'resolveName' | 'signal'>,
): Promise<readonly string[]> {
  const found = await find(url, options);
  if (found.outcome === 'refused') throw urlErrors.address(url, found.address);
  return found.addresses;
}

async function find(
  url: URL,
  options: Pick<OpenUrlOptions, 'allowed' | 'resolveName' | 'signal'>,
): Promise<FoundAddresses> {
  try {
    return await findAddresses(url.hostname, options);
  } catch (error) {
    throw connectionError(url, error);
  }
}
