import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** Of IPv6, what is given out for the public Internet. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');
/** IPv6 addresses that a translator turns into the IPv4 address in their last 32 bits (RFC 6052). */
const translated = ipaddr.parseCIDR('64:ff9b::/96');
/** Public by its number, and yet an Azure machine's own metadata service. */
const azureMetadata = ipaddr.parseCIDR('168.63.129.16/32');

/**
 * Where a connection may lead: to the public Internet, and to what an administrator allowed. Loopback, private,
 * link-local, shared, multicast and reserved addresses are not public, and neither is IPv6 that carries one of them.
 */
export class AllowedAddresses {
  readonly #ranges: readonly Range[];
  readonly #except: readonly Range[];

  /**
   * @param ranges what is allowed besides, in CIDR notation, already checked
   * @param except what of these is not
   */
  constructor(ranges: readonly string[], except: readonly string[] = []) {
    this.#ranges = ranges.map((range) => ipaddr.parseCIDR(range));
    this.#except = except.map((range) => ipaddr.parseCIDR(range));
  }

  /** False also for what is no address. */
  has(text: string): boolean {
    // IPv4 within IPv6 (::ffff:127.0.0.1) counts as what it is.
    return ipaddr.isValid(text) && this.#has(ipaddr.process(text));
  }

  #has(address: Address): boolean {
    if (this.#except.some((range) => isIn(address, range))) return false;
    if (this.#ranges.some((range) => isIn(address, range))) return true;
    if (isIn(address, translated)) return this.#has(lastBytesOf(address));
    if (isIn(address, azureMetadata)) return false;
    return address.range() === 'unicast' && (address.kind() === 'ipv4' || isIn(address, globalUnicast));
  }
}

function isIn(address: Address, range: Range): boolean {
  return address.kind() === range[0].kind() && address.match(range);
}

function lastBytesOf(address: Address): Address {
  return ipaddr.fromByteArray(address.toByteArray().slice(-4));
}
