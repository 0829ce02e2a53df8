import { lookup as systemLookup } from 'node:dns/promises';
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { untilAborted } from '@holdfast/base';
import type { AllowedAddresses } from './allowed-addresses.ts';
import { connectionError, urlErrors } from './url-errors.ts';

const mostRedirects = 5;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Finds the addresses of a name. @throws a system error */
export type ResolveName = (name: string) => Promise<readonly string[]>;

export const resolveBySystem: ResolveName = async (name) => {
  const found = await systemLookup(name, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

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

/** Refused as soon as one is not allowed: nobody has a good reason to mix them. */
async function resolveAllowed(
  url: URL,
  { allowed, resolveName, signal }: Pick<OpenUrlOptions, 'allowed' | 'resolveName' | 'signal'>,
): Promise<readonly string[]> {
  const name = url.hostname.replace(/^\[(?<v6>.*)\]$/, '$<v6>');
  const addresses = isIP(name) === 0 ? await resolve(url, resolveName, signal) : [name];
  const refused = addresses.find((address) => !allowed.has(address));
  if (refused !== undefined) throw urlErrors.address(url, refused);
  return addresses;
}

async function resolve(url: URL, resolveName: ResolveName, signal: AbortSignal): Promise<readonly string[]> {
  try {
    return await untilAborted(resolveName(url.hostname), { signal });
  } catch (error) {
    throw connectionError(url, error);
  }
}

/** Answers with these addresses, whatever it is asked. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, { all }, callback) => {
    const [first] = found;
    if (first === undefined) callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
    else if (all === true) callback(null, found);
    else callback(null, first.address, first.family);
  };
}

function onceConnected(socket: Socket, then: () => void): void {
  if (socket.connecting) socket.once('connect', then);
  else then();
}
