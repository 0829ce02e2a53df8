import { describe, expect, it } from 'vitest';
import { AllowedAddresses } from './allowed-addresses.ts';

const publicAddresses = ['93.184.216.34', '1.1.1.1', '2606:4700:4700::1111', '64:ff9b::1.1.1.1'];

const refusedAddresses = [
  ['unspecified', '0.0.0.0'],
  ['unspecified', '0.1.2.3'],
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.255.254'],
  ['private', '10.0.0.1'],
  ['private', '172.31.255.255'],
  ['private', '192.168.1.1'],
  ['shared (carrier-grade NAT)', '100.64.0.1'],
  ['Alibaba metadata', '100.100.100.200'],
  ['link-local', '169.254.0.1'],
  ['metadata', '169.254.169.254'],
  ['Azure metadata', '168.63.129.16'],
  ['Oracle metadata', '192.0.0.192'],
  ['benchmarks', '198.18.0.1'],
  ['multicast', '224.0.0.1'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['unspecified', '::'],
  ['loopback', '::1'],
  ['IPv4-compatible', '::127.0.0.1'],
  ['IPv4-mapped', '::ffff:127.0.0.1'],
  ['IPv4-mapped, in hexadecimal', '::ffff:7f00:1'],
  ['IPv4-mapped metadata', '::ffff:169.254.169.254'],
  ['translated', '64:ff9b::127.0.0.1'],
  ['translated, in hexadecimal', '64:ff9b::a00:1'],
  ['translated within a site', '64:ff9b:1::1'],
  ['6to4 with a private address', '2002:7f00:1::'],
  ['Teredo', '2001::1'],
  ['unique local', 'fd00::1'],
  ['metadata', 'fd00:ec2::254'],
  ['link-local', 'fe80::1'],
  ['link-local with a zone', 'fe80::1%eth0'],
  ['site-local', 'fec0::1'],
  ['multicast', 'ff02::1'],
  ['documentation', '2001:db8::1'],
  ['never given out', '4000::1'],
  ['no address', 'localhost'],
  ['nothing', ''],
] as const;

describe('AllowedAddresses', () => {
  it.each(publicAddresses)('has %s', (address) => {
    expect(new AllowedAddresses([]).has(address)).toBe(true);
  });

  it.each(refusedAddresses)('has no %s address: %s', (_, address) => {
    expect(new AllowedAddresses([]).has(address)).toBe(false);
  });

  it('has what was allowed, in whatever form it comes, and no more', () => {
    const allowed = new AllowedAddresses(['127.0.0.1/32', 'fd00::/64']);
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', 'fd00::7']) {
      expect(allowed.has(address), address).toBe(true);
    }
    for (const address of ['127.0.0.2', '::1', 'fd00:0:0:1::7', '10.0.0.1']) {
      expect(allowed.has(address), address).toBe(false);
    }
  });

  it('has nothing of what was allowed but for it, in whatever form it comes', () => {
    const allowed = new AllowedAddresses(['10.0.0.0/8', 'fc00::/7'], ['10.1.2.3/32', 'fd00:ec2::254/128']);
    expect(allowed.has('10.1.2.4')).toBe(true);
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::a01:203', 'fd00:ec2::254']) {
      expect(allowed.has(address), address).toBe(false);
    }
  });
});
