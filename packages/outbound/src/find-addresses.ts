import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { untilAborted } from '@holdfast/base';
import type { AllowedAddresses } from './allowed-addresses.ts';

/** Finds the addresses of a name. @throws a system error */
export type ResolveName = (name: string) => Promise<readonly string[]>;

export const resolveBySystem: ResolveName = async (name) => {
  const found = await systemLookup(name, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

export interface FindAddressesOptions {
  readonly allowed: AllowedAddresses;
  readonly resolveName: ResolveName;
  readonly signal: AbortSignal;
}

export type FoundAddresses =
  | { readonly outcome: 'allowed'; readonly addresses: readonly string[] }
  | { readonly outcome: 'refused'; readonly address: string };

/**
 * The addresses of a host: a name, or an address itself, in brackets as URLs have it or not. Refused as soon as one is
 * not allowed: nobody has a good reason to mix them.
 *
 * @throws what `resolveName` throws, and HoldfastError `interrupted`
 */
export async function findAddresses(
  host: string,
  { allowed, resolveName, signal }: FindAddressesOptions,
): Promise<FoundAddresses> {
  const name = host.replace(/^\[(?<v6>.*)\]$/, '$<v6>');
  const addresses = isIP(name) === 0 ? await untilAborted(resolveName(name), { signal }) : [name];
  const address = addresses.find((each) => !allowed.has(each));
  return address === undefined ? { outcome: 'allowed', addresses } : { outcome: 'refused', address };
}

/** For a connection: answers with these addresses, whatever it is asked. */
export function lookupOf(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, { all }, callback) => {
    const [first] = found;
    if (first === undefined) callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
    else if (all === true) callback(null, found);
    else callback(null, first.address, first.family);
  };
}

/** Calls at once for a socket that is connected already. */
export function onceConnected(socket: Socket, then: () => void): void {
  if (socket.connecting) socket.once('connect', then);
  else then();
}
