import { type ChunkerPolynomial, polynomialDegree } from './polynomial.ts';

const windowBytes = 64;

/**
 * Two tables of 256 fingerprints each, one after the other, indexed by a byte's value:
 * the first takes the fingerprint's top byte back below the degree after a shift by 8;
 * the second removes, after that shift, the byte that left the window.
 */
export function fingerprintTables(polynomial: ChunkerPolynomial): BigUint64Array {
  const reduce = (value: bigint): bigint => {
    let rest = value;
    for (let bit = polynomialDegree + 8; bit >= polynomialDegree; bit -= 1) {
      if ((rest >> BigInt(bit)) & 1n) rest ^= polynomial << BigInt(bit - polynomialDegree);
    }
    return rest;
  };
  const tables = new BigUint64Array(2 * 256);
  fillLinear(tables.subarray(0, 256), (bit) => {
    const overflow = 1n << BigInt(polynomialDegree + bit);
    return reduce(overflow) | overflow;
  });
  fillLinear(tables.subarray(256), (bit) => {
    let fingerprint = 1n << BigInt(bit);
    for (let i = 0; i < windowBytes; i += 1) fingerprint = reduce(fingerprint << 8n);
    return fingerprint;
  });
  return tables;
}

/** All 256 values of a function that is linear over GF(2), from its values for single bits. */
function fillLinear(table: BigUint64Array, ofBit: (bit: number) => bigint): void {
  for (let bit = 0; bit < 8; bit += 1) {
    const value = ofBit(bit);
    for (let byte = 1 << bit; byte < 256; byte += 1) {
      if ((byte >> bit) & 1) table[byte] = (table[byte] ?? 0n) ^ value;
    }
  }
}
