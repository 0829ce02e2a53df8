import { isIP } from 'node:net';
import { HoldfastError } from '@holdfast/base';

/** Whether an address is of this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * A server that listens on loopback answers only to names of loopback: so that a web page whose own name was made to
 * point here (DNS rebinding) cannot speak to it.
 *
 * @param host the request's Host header
 * @throws HoldfastError `host-refused`
 */
export function requireLoopbackHost(host: string | undefined): void {
  const name = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^:]*))(?::[0-9]+)?$/.exec(host ?? '')?.groups;
  if (isLoopback((name?.v6 ?? name?.name ?? '').toLowerCase())) return;
  throw new HoldfastError(
    'host-refused',
    'The server listens on this machine only and does not answer to that name.',
    {
      hint: 'Call it by localhost or 127.0.0.1, or let it listen on another address (--listen).',
    },
  );
}
